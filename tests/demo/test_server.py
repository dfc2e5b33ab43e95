from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from demo.api import Api, ApiError
from demo.server import NotReadyError, running
from demo.steps import Step, StepFailedError

SERVE = Step("serve", ("fake_service",))

# Ready at its second answer; /child names a process it started; anything else is a problem.
SERVICE = """
import json, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
asked = []

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        ready = len(asked) > 1
        known = {"/health/ready": 200 if ready else 503, "/child?a=b+c": 200}
        body = {"child": child.pid, "path": self.path, "remedy": "ask for something else"}
        self.answer(known.get(self.path, 404), body)

    def do_POST(self):
        self.answer(200, json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def answer(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""


def service(folder: Path, source: str) -> dict[str, str]:
    """An environment in which the fake service is found."""
    (folder / "fake_service.py").write_text(source)
    return {**os.environ, "PYTHONPATH": str(folder)}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet collected does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def test_a_server_is_asked_once_it_is_ready_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    with running(service(tmp_path, SERVICE), SERVE) as url:
        api = Api(url)
        child = api.get("/child", a="b c", left_out=None)["child"]
        assert api.post("/v1/scores/churn", {"customer_id": "1"}) == {"customer_id": "1"}
        assert is_alive(child)
    time.sleep(0.1)
    assert not is_alive(child)


def test_the_server_is_stopped_when_the_caller_fails(tmp_path: Path) -> None:
    children: list[int] = []

    def fail() -> None:
        with running(service(tmp_path, SERVICE), SERVE) as url:
            children.append(Api(url).get("/child", a="b c")["child"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    time.sleep(0.1)
    assert [is_alive(child) for child in children] == [False]


def test_a_refusal_carries_status_and_problem(tmp_path: Path) -> None:
    with running(service(tmp_path, SERVICE), SERVE) as url, pytest.raises(ApiError) as raised:
        Api(url).get("/v1/nothing")
    assert "/v1/nothing answered 404" in str(raised.value)
    assert "ask for something else" in str(raised.value)


def test_a_server_that_ends_by_itself_is_an_error_with_its_words(tmp_path: Path) -> None:
    env = service(tmp_path, "raise SystemExit('the port is taken')")
    with pytest.raises(StepFailedError, match="the port is taken"), running(env, SERVE):
        pass


def test_a_server_that_is_never_ready_is_an_error(tmp_path: Path) -> None:
    env = service(tmp_path, "import time; print('still loading', flush=True); time.sleep(600)")
    with pytest.raises(NotReadyError, match="still loading"), running(env, SERVE, patience=1):
        pass
