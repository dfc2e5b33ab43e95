from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from features.database import DatabaseError
from serving import listener
from serving.__main__ import main
from serving.access.keys import matches, parts_of
from serving.access.ring import Ring
from serving.access.store import AccessStore
from serving.errors import CannotServeError

DAY = 86_400_000_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    return tmp_path


def test_a_key_is_shown_once_and_found_by_what_was_shown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["keys", "create", "our crm", "--scope", "score", "--scope", "lists"]
    assert main([*asked, "--expires", "90d", "--rate", "100/second"]) == 0
    shown = capsys.readouterr()
    token = shown.out.strip()
    assert shown.out == f"{token}\n"  # alone, for programs
    assert token not in shown.err
    with contextlib.closing(AccessStore.open(home)) as store:
        (key,) = store.all_keys()
    parts = parts_of(token)
    assert parts is not None
    assert parts[0] == key.id
    assert matches(key, parts[1])
    assert (key.name, key.scopes, key.rate) == ("our crm", {"score", "lists"}, "100/second")
    assert key.expires_at == key.created_at + 90 * DAY

    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert key.id in listed
    assert "active" in listed
    assert "lists,score" in listed
    assert parts[1] not in listed
    assert key.digest.hex() not in listed

    assert main(["keys", "revoke", key.id]) == 0
    assert main(["keys", "revoke", key.id]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Key {key.id} is revoked.",
        f"Key {key.id} was revoked before.",
    ]
    main(["keys", "list"])
    assert "revoked" in capsys.readouterr().out

    assert main(["keys", "audit"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["keys revoke" in lines[1], "keys create" in lines[2], len(lines)] == [True, True, 3]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["create", "crm", "--scope", "score", "--expires", "soon"], "'soon' is no duration"),
        (["create", "crm", "--scope", "score", "--rate", "often"], "'often' is no rate"),
        (["create", " ", "--scope", "score"], "no name of a key"),
        (["revoke", "nobody"], "python -m serving keys list"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    asked: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", *asked]) == 2
    assert said in capsys.readouterr().err
    with contextlib.closing(AccessStore.open(home)) as store:
        assert store.all_keys() == store.acts() == []


def test_a_key_without_a_scope_or_with_an_unknown_one_is_not_made(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for scopes in ([], ["--scope", "root"]):
        with pytest.raises(SystemExit):
            main(["keys", "create", "crm", *scopes])
    assert "invalid choice: 'root'" in capsys.readouterr().err


def test_a_host_that_others_reach_is_allowed_while_a_key_opens_something(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def check() -> None:
        with contextlib.closing(AccessStore.open(home)) as store:
            ring = Ring(store)
            ring.refresh()
            listener.check_host("0.0.0.0", ring.has_active)

    with pytest.raises(CannotServeError, match="python -m serving keys create"):
        check()
    main(["keys", "create", "crm", "--scope", "score"])
    key_id = capsys.readouterr().out.split("_")[1]
    check()
    main(["keys", "revoke", key_id])
    with pytest.raises(CannotServeError, match="there is no active API key"):
        check()


def test_a_database_that_is_none_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXTBEST_DATABASE_URL", "nonsense")
    assert main(["keys", "list"]) == 2
    assert "NEXTBEST_DATABASE_URL" in capsys.readouterr().err
    with pytest.raises(DatabaseError):
        AccessStore.open(Path(), "nonsense")
