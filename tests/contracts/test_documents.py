"""Every command line in the documents parses: the programs' own --help is the judge."""

from __future__ import annotations

import functools
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from starlette.routing import Match, Route

from features.arrival import EventCheck, campaign_of, customer_of
from models.catalog import CATALOG
from serving.protocols import frames, tensors
from serving.routes import (
    campaigns,
    changes,
    customers,
    events,
    health,
    inference,
    invocations,
    models,
    prospects,
    root,
    scores,
)
from serving.schema import BatchRequest, ChangesQuery, ProspectsQuery, ScoreRequest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
# Programs of the machine, and what comes with the development tools: not ours to check.
OTHERS = {
    "docker",
    "kubectl",
    "cd",
    "git",
    "cp",
    "systemctl",
    "export",
    "apt-get",
    "brew",
    "ls",
    "cat",
    "source",
    ".ci/run",
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Command lines: all of a ``bash`` block, and what follows ``$`` in a ``console`` block."""
    found: list[str] = []
    for language, body in FENCE.findall(text):
        lines = body.replace("\\\n", " ").splitlines()
        if language == "console":
            found += [line[2:] for line in lines if line.startswith("$ ")]
        elif language in {"bash", "sh"}:
            found += [line for line in lines if line.strip() and not line.startswith("#")]
    return [" ".join(line.split()) for line in found]


def documented() -> list[tuple[str, str]]:
    """(document, command) of every command of every document, each pair once."""
    pairs = (
        (document.name, command)
        for document in DOCUMENTS
        if document.is_file()
        for command in commands(document.read_text())
    )
    return list(dict.fromkeys(pairs))


@functools.cache
def help_of(words: tuple[str, ...]) -> str:
    """What ``python -m WORDS --help`` prints; the command must know the words."""
    done = subprocess.run(
        [sys.executable, "-m", *words, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"python -m {' '.join(words)} --help:\n{done.stderr}"
    return done.stdout


@functools.cache
def targets() -> set[str]:
    """Names of the Makefile's targets."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@functools.cache
def entry_points() -> dict[str, set[str]]:
    """Parameters of each of MLproject's entry points."""
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    return {name: set(e.get("parameters", {})) for name, e in project["entry_points"].items()}


def check(command: str) -> None:
    """Fail unless the program, its subcommand and each of its options exist."""
    words = shlex.split(command, comments=True)
    words = words[: next((n for n, w in enumerate(words) if w in {"|", ">", "&&", "&"}), None)]
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    program = Path(words[0]).name if words[0].startswith(".venv/") else words[0]
    if program == "make":
        asked = {word for word in words[1:] if "=" not in word}
        assert asked <= targets(), command
    elif program.startswith("python"):
        assert words[1] == "-m", f"{command}: only `python -m` is documented"
        rest = words[2:]
        options = [word.split("=")[0] for word in rest if word.startswith("--")]
        first = next((n for n, word in enumerate(rest) if word.startswith("-")), len(rest))
        printed = help_of(tuple(rest[:first]))
        unknown = [o for o in options if not re.search(rf"{re.escape(o)}(?![\w-])", printed)]
        assert unknown == [], command
    elif program == "mlflow" and words[1] == "run":
        entry = words[words.index("-e") + 1]
        given = {words[n + 1].split("=")[0] for n, word in enumerate(words) if word == "-P"}
        assert given <= entry_points()[entry], command
    elif program == "curl":
        check_call(command, words)
    else:
        assert program in OTHERS | {"mlflow"}, f"{command}: no check knows {program}"


@functools.cache
def routes() -> tuple[Route, ...]:
    """The service's routes, without a service."""
    v1 = (root, health, models, customers, campaigns, events, prospects, changes)
    routers = (*v1, inference, invocations)
    served = [*(module.router for module in routers), scores.make_router(CATALOG)]
    return tuple(route for router in served for route in router.routes if isinstance(route, Route))


def check_call(command: str, words: list[str]) -> None:
    """Fail unless a route answers the call, and its body or query is one that the route takes."""
    url = urlsplit(next(word for word in words if word.startswith("http://127.0.0.1:")))
    body = words[words.index("-d") + 1] if "-d" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else "GET" if body is None else "POST"
    scope = {"type": "http", "method": method, "path": url.path}
    assert any(route.matches(scope)[0] is Match.FULL for route in routes()), command
    if body is not None:
        check_body(url.path, json.loads(body))
    if url.path == "/v1/prospects":
        ProspectsQuery.model_validate(dict(parse_qsl(url.query)))
    if url.path == "/v1/scores":
        ChangesQuery.model_validate(dict(parse_qsl(url.query)))


def check_body(path: str, body: dict[str, Any]) -> None:
    """Fail unless the route takes the body."""
    if path == "/invocations":
        frames.read_json(json.dumps(body).encode())
        return
    if path.startswith("/v2/"):
        tensors.read(json.dumps(body).encode(), None)
        return
    _, _, resource, *rest = path.split("/")
    if resource == "events":
        for event in body["events"]:
            EventCheck({})(event, until=2**52)
    elif resource == "customers":
        customer_of(rest[0], body)
    elif resource == "campaigns":
        campaign_of(rest[0], body)
    else:
        kind = BatchRequest if path.endswith("/batch") else ScoreRequest
        kind.model_validate(body)
        assert rest[0] in CATALOG, path


@pytest.mark.parametrize(("document", "command"), documented())
def test_a_documented_command_parses(document: str, command: str) -> None:
    check(command)


@pytest.mark.parametrize("name", sorted(entry_points()))
def test_an_entry_point_is_one_python_line_that_parses(name: str) -> None:
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    entry = project["entry_points"][name]
    defaults = {"model": "churn", "campaign": "13"}
    given = {
        parameter: kind.get("default", defaults.get(parameter))
        if isinstance(kind, dict)
        else defaults[parameter]
        for parameter, kind in entry.get("parameters", {}).items()
    }
    command = entry["command"].format(**given)
    assert command.startswith("python -m ")
    check(command)


def test_mlflow_reads_the_project() -> None:
    from mlflow.projects._project_spec import load_project

    project = load_project(str(ROOT))
    assert project.get_entry_point("train").compute_command({"model": "churn"}, None) == (
        "python -m training churn"
    )
    asked = "ingest build train promote score prospects monitor serve demo"
    assert " ".join(entry_points()) == asked


def test_every_target_of_make_has_a_line_of_help() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make ([\w-]+)", done.stdout, re.MULTILINE)) == targets()


@pytest.mark.parametrize(
    "wrong",
    [
        "make nothing",
        "python -m demo --no-such-option",
        "python -m features no-such-command",
        "mlflow run . -e nothing",
        "curl http://127.0.0.1:8000/v1/nothing",
        "unknown-program",
    ],
)
def test_a_wrong_command_is_found(wrong: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        check(wrong)


def test_commands_are_read_from_fences() -> None:
    text = "```console\n$ make demo\n  ok\n```\n```bash\n# why\ncurl -s \\\n  x\n```\n"
    assert commands(text) == ["make demo", "curl -s x"]
