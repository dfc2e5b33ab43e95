"""Connections to PostgreSQL that give up on a server that falls silent.

Without it a query waits for as long as the network keeps quiet, which after a lost route is hours:
a server's own time-outs do not help where nothing of it arrives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

LEAST_SECONDS = 2
"""psycopg gives a connection no less time to be made."""


def patient(seconds: float) -> Callable[..., Any]:
    """Return what opens connections of psycopg that wait for each answer so long at most.

    What is given up is closed, for nobody knows what it would say next. The server may not have
    heard of that: it ends a transaction of which it hears nothing for twice as long, and its locks.

    Parameters
    ----------
    seconds : float
        Above 0; to connect takes 2 at least.
    """
    import psycopg

    class Patient(psycopg.Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval, seconds if timeout is None else timeout)
            except psycopg.OperationalError:
                if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                    self.close()
                raise

    def connect(*arguments: Any, **options: Any) -> Any:
        within = max(LEAST_SECONDS, math.ceil(seconds))
        idle = f"-c idle_in_transaction_session_timeout={2_000 * within}"
        options["options"] = f"{options.get('options', '')} {idle}".strip()
        return Patient.connect(*arguments, **{"connect_timeout": within, **options})

    return connect
