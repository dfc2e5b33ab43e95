"""What runs the service in containers is what its schemas, settings and files allow.

No image is built here: there is no engine. What can be judged without one is.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.__main__ import parser
from serving.settings import ServingSettings

ROOT = Path(__file__).resolve().parents[2]
OURS = ("api", "mlflow")


def of_schemas(name: str) -> Any:
    """Return a package that carries a schema; where the service is tested in full it is there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if os.environ.get("NEXTBEST_REQUIRE_SERVICES") == "1":
            pytest.fail(f"{name} is not installed.")
        pytest.skip(f"{name} is not installed")


def objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text()))


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


def the(kind: str) -> dict[str, Any]:
    (found,) = (each for each in objects() if each["kind"] == kind)
    return found


def known(names: set[str]) -> set[str]:
    fields = {f"NEXTBEST_{name.upper()}" for name in ServingSettings.model_fields}
    return names - fields - {"MLFLOW_TRACKING_URI"}


def test_kubernetes_takes_every_object() -> None:
    validate = of_schemas("kubernetes_validate")
    version = validate.latest_version()
    for each in objects():
        validate.validate(each, version, strict=True)
    broken = the("Deployment")
    broken["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(validate.ValidationError):
        validate.validate(broken, version, strict=True)


def test_compose_takes_the_file() -> None:
    compose = of_schemas("compose_spec")
    written = yaml.safe_load((ROOT / "compose.yaml").read_text())  # with its anchors merged
    assert set(compose.PyCompose.from_json(json.dumps(written)).service_names()) == set(services())
    written["services"]["api"]["healthchecks"] = {}
    with pytest.raises(ValueError, match="healthchecks"):
        compose.PyCompose.from_json(json.dumps(written))


def test_every_service_says_whether_it_is_well_and_is_waited_for() -> None:
    found = services()
    assert set(found) == {"api", "mlflow", "postgres", "redis"}
    assert all("test" in service["healthcheck"] for service in found.values())
    awaited = found["api"]["depends_on"]
    assert set(awaited) == set(found) - {"api"}
    assert {each["condition"] for each in awaited.values()} == {"service_healthy"}
    assert found["api"]["environment"]["NEXTBEST_WORKERS"] == "2"


def test_settings_are_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for environment in (services()["api"]["environment"], the("ConfigMap")["data"]):
        assert known(set(environment)) == set()
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            assert ServingSettings().workers == 2
            assert "localhost" in ServingSettings().allowed_hosts


def test_nobody_is_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (user,) = (line.split()[1] for line in lines if line.startswith("USER"))
    assert int(user) > 0
    pod = the("Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == int(user)
    for name, service in services().items():
        assert service.get("user", user if name in OURS else "root") != "root"


def test_the_image_copies_what_is_there_and_starts_what_can_be_started() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M)
    names = [name for each in copied for name in each.split()]
    assert {"features", "models", "training", "serving"} < set(names)
    kept = (ROOT / ".dockerignore").read_text()
    for name in names:
        assert (ROOT / name).exists()
        assert f"!{name}\n" in kept
    (command,) = re.findall(r"^CMD (.+)$", text, re.M)
    said = yaml.safe_load(command)
    assert said[:3] == ["python", "-m", "serving"]
    assert parser().parse_args(said[3:]).host == "0.0.0.0"


def test_probes_call_a_host_that_is_allowed() -> None:
    (container,) = the("Deployment")["spec"]["template"]["spec"]["containers"]
    allowed = yaml.safe_load(the("ConfigMap")["data"]["NEXTBEST_ALLOWED_HOSTS"])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        (header,) = container[probe]["httpGet"]["httpHeaders"]
        assert header["name"] == "Host"
        assert header["value"] in allowed
