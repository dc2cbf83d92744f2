"""The image and the compose file say what the code understands; their commands, run by hand, work on one home."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer
import yaml

from kgrisk.cli import app
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, clean_environment, kgrisk, write_registers

DOCKER = Path(__file__).parents[1] / "docker"
ROOT = DOCKER.parent
SUBSTITUTED = re.compile(r"(?<!\$)\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}")


def compose(**environment: str) -> dict[str, Any]:
    """The compose file with its variables filled in, as an engine would read it."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if name in environment or kind == "-":
            return environment.get(name, rest or "")
        raise AssertionError(f"{name} has to be set: {rest}")

    text = SUBSTITUTED.sub(value, (DOCKER / "compose.yaml").read_text())
    made: dict[str, Any] = yaml.safe_load(text)
    return made


def services() -> dict[str, Any]:
    found: dict[str, Any] = compose(NEO4J_PASSWORD="long enough")["services"]
    return found


def instructions() -> list[tuple[str, str]]:
    """Instruction and argument of each line of the Dockerfile."""
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.strip().partition(" ") for line in lines)]


def arguments(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def understood(command: list[str]) -> bool:
    """The command line takes every option of it; nothing is run."""
    group = typer.main.get_command(app)
    name, *rest = command
    own = group.commands[name]  # type: ignore[attr-defined]  # the command of an application with several
    own.make_context(name, list(rest))
    return True


def test_a_password_has_to_be_given() -> None:
    with pytest.raises(AssertionError, match="NEO4J_PASSWORD"):
        compose()


def test_every_command_of_image_and_compose_is_one_that_kgrisk_takes() -> None:
    (entry,), (command,) = arguments("ENTRYPOINT"), arguments("CMD")
    assert json.loads(entry) == ["kgrisk"] and understood(json.loads(command))
    for name in ("app", "scheduler"):
        assert understood(services()[name]["command"])
    check = services()["scheduler"]["healthcheck"]["test"]
    assert check[:2] == ["CMD", "kgrisk"] and understood(check[2:])
    with pytest.raises(Exception, match="No such option"):
        understood([*services()["app"]["command"], "--hosts", "x"])


def test_every_variable_handed_in_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = dict(services()["app"]["environment"])
    assert given == services()["scheduler"]["environment"]
    for pair in re.findall(r"(\w+)=(\S+)", " ".join(arguments("ENV"))):
        given[pair[0]] = pair[1]
    for name in [name for name in os.environ if name.startswith(("KGRISK_", "NEO4J_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        if name.startswith(("KGRISK_", "NEO4J_")):
            monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert str(settings.home) == "/var/lib/kgrisk" and str(settings.inputs) == "/inputs"
    assert settings.url(settings.home).startswith("bolt://neo4j:long%20enough@neo4j:7687")


def test_app_and_scheduler_share_a_home_that_the_image_owns_and_wait_for_neo4j() -> None:
    found, whole = services(), compose(NEO4J_PASSWORD="long enough")
    homes = {
        name: [v for v in found[name]["volumes"] if v.endswith(":/var/lib/kgrisk")] for name in ("app", "scheduler")
    }
    assert homes["app"] == homes["scheduler"] == ["home:/var/lib/kgrisk"] and "home" in whole["volumes"]
    assert arguments("VOLUME") == ["/var/lib/kgrisk"]
    for name in ("app", "scheduler"):
        assert found[name]["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
        assert found[name]["build"] == {"context": "..", "dockerfile": "docker/Dockerfile"}
        assert [v for v in found[name]["volumes"] if v.endswith("/inputs:ro")]
    assert "healthcheck" in found["neo4j"]


def test_nothing_is_open_beyond_this_machine_and_nobody_is_root() -> None:
    for service in services().values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for name in ("app", "scheduler"):
        service = services()[name]
        assert service["cap_drop"] == ["ALL"] and service["read_only"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    user = arguments("USER")[-1]
    assert user == "10001:10001" and "--uid 10001" in " ".join(arguments("RUN"))


def test_the_image_is_built_in_two_stages_from_files_that_are_there_and_pinned_packages() -> None:
    froms = arguments("FROM")
    assert len(froms) == 2 and all(re.match(r"python:3\.1[1-9]-slim-\w+( AS \w+)?$", image) for image in froms)
    copied = [one.split()[:-1] for one in arguments("COPY") if not one.startswith("--from")]
    assert all((ROOT / name).exists() for names in copied for name in names)
    kept = {line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == {name for names in copied for name in names}
    assert any("-c constraints.txt" in run for run in arguments("RUN"))
    assert "://" not in re.sub(r"http://127\.0\.0\.1:8080/\S+", "", " ".join(rest for _, rest in instructions()))
    assert not re.search(r"\b(node|npm|curl|wget)\b", " ".join(arguments("RUN")))


def test_the_image_asks_itself_whether_it_is_alive_at_the_port_it_serves() -> None:
    (check,) = arguments("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert command[0] == "python" and "http://127.0.0.1:8080/healthz" in command[2]
    assert arguments("EXPOSE") == ["8080"] and services()["app"]["ports"] == ["127.0.0.1:8080:8080"]
    compile(command[2], "healthcheck", "exec")


@pytest.mark.slow
@pytest.mark.neo4j
def test_server_and_scheduler_as_composed_work_on_one_home_over_neo4j(neo4j_url: str, tmp_path: Path) -> None:
    parts, inputs = urlsplit(neo4j_url), write_registers(tmp_path / "in")
    environment = clean_environment(
        KGRISK_HOME=str(tmp_path / "home"),
        NEO4J_URI=f"{parts.scheme}://{parts.hostname}:{parts.port}",
        NEO4J_USERNAME=unquote(parts.username or ""),
        NEO4J_PASSWORD=unquote(parts.password or ""),
    )
    refused = kgrisk("serve", "--host", "0.0.0.0", cwd=tmp_path, KGRISK_HOME=str(tmp_path / "home"))
    assert refused.returncode == 1 and "keys add" in refused.stderr
    made = kgrisk("keys", "add", "ann", "--json", cwd=tmp_path, KGRISK_HOME=str(tmp_path / "home"))
    key, port = json.loads(made.stdout)["key"], free_port()
    serve = [word.replace("8080", str(port)) for word in services()["app"]["command"]]
    schedule = [word.replace("/inputs", str(inputs)) for word in services()["scheduler"]["command"]]
    command = [sys.executable, "-m", "kgrisk.cli"]
    with subprocess.Popen([*command, *serve], env=environment, cwd=tmp_path) as server:
        try:
            until(lambda: asked(port, "/healthz", key) == {"state": "alive"}, server)
            done = subprocess.run([*command, *schedule, "--times", "1"], env=environment, cwd=tmp_path, timeout=300)
            assert done.returncode == 0
            assert asked(port, f"/v1/entities/{BIG}", key)["name"] == "Big Bank AG"  # the server sees what it did
            ready = asked(port, "/readyz", key)
            assert ready["store"] == "Neo4jStore" and ready["commit"] >= 1
            hit = asked(port, "/v1/queries/hit_if_fails", key, {"id": BIG})["rows"]
            assert [row["at_risk_minor"] for row in hit] == [10000]
            healthy = subprocess.run([*command, "doctor"], env=environment, cwd=tmp_path, timeout=120)
            assert healthy.returncode == 0
        finally:
            server.terminate()
            server.wait(60)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def asked(port: int, path: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the server answers."""
    content = json.dumps(body).encode() if body is not None else None
    headers = {"X-Api-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def until(true: Any, server: subprocess.Popen[bytes], seconds: float = 120.0) -> None:
    """Wait for something to come true while a server runs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            if true():
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"not true after {seconds} s; the server's exit code is {server.poll()}")
