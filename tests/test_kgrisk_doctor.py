"""The doctor: each check passes where all is well and fails where something really is wrong."""

from __future__ import annotations

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from kg.ledger import Ledger
from kgrisk import doctor
from kgrisk.api import open as open_graph
from kgrisk.doctor import Patient, State
from kgrisk.settings import Settings, embedded
from kgrisk.weights import WEIGHTS, faults
from tests.kgrisk_world import kgrisk_here, write_registers


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small graph in ledger and embedded store."""
    folder = tmp_path_factory.mktemp("sound")
    settings = Settings.load(home=folder / "home", store=embedded(folder / "home" / "store"))
    with open_graph(folder / "home", settings=settings) as graph:
        graph.ingest(write_registers(folder / "inputs"))
        graph.sync()
    return folder / "home"


@pytest.fixture
def patient(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """A copy of it, to be made sick."""
    for name in ("NEO4J_URI", "NEO4J_PASSWORD", "NEO4J_USERNAME", "NEO4J_USER", "NEO4J_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    shutil.copytree(sound, home)
    return Patient(home, Settings.load(home=home))


def state(check: str, patient: Patient) -> tuple[State, str]:
    (finding,) = [f for f in doctor.examine(patient) if f.check == check]
    assert finding.state in ("ok", "skip") or finding.remedy, "whatever is wrong comes with what to do"
    return finding.state, finding.detail


def test_a_sound_home_has_nothing_wrong_with_it(patient: Patient) -> None:
    found = {f.check: f.state for f in doctor.examine(patient)}
    assert found.pop("java") in ("ok", "warn") and found.pop("packages") in ("ok", "warn")
    assert found == dict.fromkeys(("python", "weights", "sample", "disk", "ledger", "store"), "ok") | {"neo4j": "skip"}


def test_an_old_python_fails(patient: Patient) -> None:
    assert state("python", replace(patient, python=(3, 10)))[0] == "fail"


def test_a_package_that_the_core_lacks_fails_and_one_of_an_extra_warns(patient: Patient) -> None:
    core = replace(patient, needs=("pyarrow", "no-such-package-of-ours"))
    assert state("packages", core) == ("fail", "core lacks no-such-package-of-ours")
    extra = replace(patient, needs=("pyarrow", 'no-such-package-of-ours; extra == "images"'))
    assert state("packages", extra) == ("warn", "images lacks no-such-package-of-ours")
    assert state("packages", replace(patient, needs=("pyarrow<1",)))[0] == "fail"


def test_weights_with_one_bit_changed_fail(patient: Patient, tmp_path: Path) -> None:
    weight = next(w for w in WEIGHTS if w.package == "rapidocr")
    from importlib.util import find_spec

    spec = find_spec("rapidocr")
    assert spec is not None and spec.submodule_search_locations is not None
    folder = tmp_path / "rapidocr"
    shutil.copytree(Path(spec.submodule_search_locations[0]) / "models", folder / "models")
    assert faults(folders={"rapidocr": folder}) == {}
    file = next(folder.glob(weight.glob))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    wrong = replace(patient, weights={"rapidocr": folder})
    told = state("weights", wrong)
    assert told[0] == "fail" and weight.sha256[:12] in told[1]
    file.unlink()
    assert "missing" in state("weights", wrong)[1]


def test_a_sample_without_its_truth_fails(patient: Patient, tmp_path: Path) -> None:
    copy = tmp_path / "sample"
    shutil.copytree(patient.sample, copy)
    (copy / "truth.json").unlink()
    assert state("sample", replace(patient, sample=copy)) == ("fail", f"{copy} lacks truth.json")


def test_a_home_that_cannot_be_written_fails(patient: Patient) -> None:
    told = state("disk", replace(patient, home=Path("/proc/self/kgrisk-home")))  # read-only for root too
    assert told[0] == "fail" and "cannot be written" in told[1]


def test_a_disk_without_room_fails(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "DISK_GIB", 1e9)
    assert state("disk", patient)[0] == "fail"


def test_a_damaged_ledger_fails(patient: Patient) -> None:
    for file in (patient.home / "ledger" / "table").rglob("*.parquet"):
        file.write_bytes(b"PAR1 not any more")
    told = state("ledger", patient)
    assert told[0] == "fail", told


def test_a_ledger_of_another_format_fails(patient: Patient) -> None:
    (patient.home / "ledger" / "ledger.json").write_text('{"uuid": "x", "format": 99}')
    assert state("ledger", patient)[0] == "fail"


def test_a_store_filled_from_another_ledger_fails(patient: Patient) -> None:
    shutil.rmtree(patient.home / "ledger")
    with Ledger.open(patient.home / "ledger"):
        pass
    told = state("store", patient)
    assert told[0] == "fail" and "filled from ledger" in told[1]


def test_a_store_ahead_of_its_ledger_fails(patient: Patient, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(patient.home / "ledger", backup)
    with open_graph(patient.home, settings=patient.settings) as graph:
        claim = graph.ledger.alive()["claim"][0].as_py()
        from kg.model import RunManifest

        graph.ledger.retract([claim], RunManifest("correct"))
        graph.sync()
    shutil.rmtree(patient.home / "ledger")
    shutil.copytree(backup, patient.home / "ledger")
    told = state("store", patient)
    assert told[0] == "fail" and "set back" in told[1]


def test_a_store_of_an_unknown_scheme_fails(patient: Patient) -> None:
    settings = patient.settings.model_copy(update={"store": "oracle://somewhere"})
    told = state("store", replace(patient, settings=settings))
    assert told[0] == "fail" and "arcadedb" in told[1]


def test_a_neo4j_behind_a_closed_port_fails(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = patient.settings.model_copy(update={"neo4j_uri": f"bolt://127.0.0.1:{port}"})
    told = state("neo4j", replace(patient, settings=settings))
    assert told[0] == "fail" and f"127.0.0.1:{port}" in told[1]


@pytest.mark.neo4j
def test_a_neo4j_with_a_wrong_password_fails_and_with_the_right_one_is_well(patient: Patient, neo4j_url: str) -> None:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(neo4j_url)
    given = {"neo4j_uri": f"{parts.scheme}://{parts.hostname}:{parts.port}", "neo4j_username": parts.username or ""}
    given |= {"neo4j_database": parts.path.strip("/") or "neo4j"}
    right = patient.settings.model_copy(update={**given, "neo4j_password": SecretStr(unquote(parts.password or ""))})
    wrong = patient.settings.model_copy(update={**given, "neo4j_password": SecretStr("wrong")})
    assert state("neo4j", replace(patient, settings=right))[0] == "ok"
    told = state("neo4j", replace(patient, settings=wrong))
    assert told[0] == "fail" and "wrong" not in told[1]


def test_a_machine_without_java_is_told_what_it_lacks(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    told = state("java", patient)
    assert told[0] == "warn" and "java and mvn" in told[1]


def test_a_home_without_a_graph_is_skipped_not_failed(patient: Patient, tmp_path: Path) -> None:
    empty = replace(patient, home=tmp_path / "empty", settings=Settings.load(home=tmp_path / "empty"))
    assert state("ledger", empty)[0] == state("store", empty)[0] == "skip"


def test_the_command_ends_with_1_where_something_fails(patient: Patient, tmp_path: Path) -> None:
    done = kgrisk_here("doctor", "--home", patient.home, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (patient.home / "ledger" / "ledger.json").write_text('{"uuid": "x", "format": 99}')
    done = kgrisk_here("doctor", "--home", patient.home, cwd=tmp_path)
    assert done.returncode == 1 and "format 99" in done.stdout.replace("\n", " ")
