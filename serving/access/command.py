"""python -m serving keys: make keys, see them, take them back, and see who did what."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from features.clock import parse_duration, to_iso
from serving.access.keys import SCOPES, make
from serving.access.rates import limit_of
from serving.access.store import AccessStore
from serving.settings import ServingSettings


def declare(keys: argparse.ArgumentParser) -> None:
    """Add what `keys` takes to its command line."""
    actions = keys.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key; it is shown once")
    create.add_argument("name", metavar="NAME", help="whose it is")
    create.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=SCOPES,
        help="what it opens; may be given several times",
    )
    create.add_argument("--expires", metavar="DURATION", help="such as 90d; by default never")
    create.add_argument(
        "--rate", default="", help="such as 100/second; by default NEXTBEST_RATE_LIMIT"
    )
    actions.add_parser("list", help="all keys, without their secrets")
    revoke = actions.add_parser("revoke", help="make a key open nothing, within seconds")
    revoke.add_argument("id", metavar="ID", help="as `keys list` shows it")
    audit = actions.add_parser("audit", help="who did what, the latest first")
    audit.add_argument("--limit", type=int, default=100, help="lines; by default 100")


def run(action: str, settings: ServingSettings, **given: object) -> int:
    """Do it; returns 0.

    Raises
    ------
    NextbestError
        What was given is wrong, or the database does not answer.
    """
    with closing(AccessStore.open(settings.home, settings.database_url or None)) as store:
        ACTIONS[action](store, argparse.Namespace(**given))
    return 0


def create(store: AccessStore, given: argparse.Namespace) -> None:
    """Make a key, and print it: the key alone to stdout, for programs."""
    if given.rate:
        limit_of(given.rate)
    lifetime = parse_duration(given.expires) if given.expires else None
    key, token = make(given.name, given.scope, now(), lifetime, given.rate)
    store.create(key, user())
    print(token)
    print(
        f"Key {key.id} opens {', '.join(sorted(key.scopes))}; expires: {_moment(key.expires_at)}.\n"
        "It is shown this once: only a hash is kept. Send it as\n"
        "  Authorization: Bearer nextbest_...",
        file=sys.stderr,
    )


def show(store: AccessStore, given: argparse.Namespace) -> None:
    """Print all keys."""
    lines = [["id", "state", "scopes", "rate", "created", "expires", "name"]]
    for key in store.all_keys():
        scopes = ",".join(sorted(key.scopes))
        created, expires = _moment(key.created_at), _moment(key.expires_at)
        lines.append(
            [key.id, key.state(now()), scopes, key.rate or "-", created, expires, key.name]
        )
    print(_table(lines))


def revoke(store: AccessStore, given: argparse.Namespace) -> None:
    """Take a key back."""
    done = store.revoke(given.id, user(), now())
    print(f"Key {given.id} is revoked." if done else f"Key {given.id} was revoked before.")


def audit(store: AccessStore, given: argparse.Namespace) -> None:
    """Print the latest lines of the audit."""
    lines = [["at", "key", "who", "action", "status", "counts", "request"]]
    for act in store.acts(given.limit):
        counts = " ".join(f"{name}={count}" for name, count in act.counts.items())
        told = [str(act.status or "-"), counts or "-", act.request_id or "-"]
        lines.append([to_iso(act.at), act.key_id, act.who, act.action, *told])
    print(_table(lines))


ACTIONS = {"create": create, "list": show, "revoke": revoke, "audit": audit}


def now() -> int:
    """Return microseconds UTC."""
    return time.time_ns() // 1000


def user() -> str:
    """Return who types, as the system knows them."""
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError, ImportError):  # a container without a list of users
        return f"uid {os.getuid()}"


def _moment(at: int | None) -> str:
    return "never" if at is None else to_iso(at)


def _table(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join(padded)
