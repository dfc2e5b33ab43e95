"""python -m serving: the API, with its poller beside it; `keys` says who may call."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing

from pydantic import ValidationError

from features.errors import NextbestError
from serving.access import command as keys_command
from serving.front.telemetry import configure_logging
from serving.listener import bind, check_host
from serving.settings import ServingSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or run a command; returns 0, or 2 after saying why not."""
    arguments = vars(parser().parse_args(argv))
    command = arguments.pop("command")
    try:
        if command is not None:
            return COMMANDS[command](**arguments, settings=ServingSettings())
        given = {name: value for name, value in arguments.items() if value is not None}
        serve(ServingSettings(**given))
    except NextbestError as error:
        print(error, file=sys.stderr)
        return 2
    except ValidationError as error:
        for each in error.errors():
            print(f"{'.'.join(map(str, each['loc']))}: {each['msg']}", file=sys.stderr)
        print("Correct the option, or the NEXTBEST_... variable of that name.", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    made.add_argument("--host", help="by default 127.0.0.1; others need API keys")
    made.add_argument("--port", type=int, help="by default 8000; 0 takes a free one")
    made.add_argument("--workers", type=int, help="processes that answer; by default 1")
    commands = made.add_subparsers(dest="command", metavar="[replay | forget | keys]")
    replay = commands.add_parser("replay", help="compute a logged score again and compare it")
    replay.add_argument("score_id", help="`score_id` of an answer")
    forget = commands.add_parser("forget", help="delete logged scores")
    which = forget.add_mutually_exclusive_group(required=True)
    which.add_argument("--customer", help="those of one customer, by id")
    which.add_argument("--before", help="those served before a date or time (UTC)")
    keys_command.declare(commands.add_parser("keys", help="who may call"))
    return made


def replay(score_id: str, settings: ServingSettings, **_: object) -> int:
    """Compute a score again; returns 0 if it is the same, 1 if not."""
    from serving.served.replaying import run

    return run(score_id, settings)


def forget(customer: str | None, before: str | None, settings: ServingSettings, **_: object) -> int:
    """Delete logged scores; returns 0."""
    from serving.served.forgetting import run

    return run(customer, before, settings)


COMMANDS: dict[str, Callable[..., int]] = {
    "replay": replay,
    "forget": forget,
    "keys": keys_command.run,
}


def serve(settings: ServingSettings) -> None:
    """Start everything, serve, and stop everything.

    Raises
    ------
    CannotServeError
        The host is not allowed, the port is taken, or no worker can be started.
    NextbestError
        There is no online store, or no model has a champion.
    """

    def has_keys() -> bool:
        from serving.access.opened import Access

        with closing(Access.open(settings)) as access:
            return access.ring.has_active()

    check_host(settings.host, has_keys)
    with closing(bind(settings.host, settings.port)) as listener:
        configure_logging()
        # Imported here: the parent of several workers needs little of what they need.
        if settings.workers > 1:
            from serving.workers.parent import serve as serve_by
        else:
            from serving.alone import serve as serve_by
        serve_by(settings, listener)


if __name__ == "__main__":
    sys.exit(main())
