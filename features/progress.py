"""How far a long step has come, shown on stderr and only to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int | None], None]
"""Called with a step's name, how much of it is done, and how much there is (None: unknown)."""


def silent(step: str, done: int, total: int | None) -> None:
    """Show nothing."""


@contextmanager
def shown(console: Console | None = None) -> Iterator[Report]:
    """Show each reported step as a bar; nothing where the output is no terminal."""
    console = Console(stderr=True) if console is None else console
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as bars:
        tasks = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report
