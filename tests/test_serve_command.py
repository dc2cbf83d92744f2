"""`kgrisk serve` and `kgrisk keys` as they are typed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from kg.errors import SettingsError
from kgrisk.serve_command import check_bind
from tests.kgrisk_world import BIG, clean_environment, kgrisk_here, write_registers


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    done = kgrisk_here("ingest", write_registers(folder / "in"), "--home", folder / "home", cwd=folder)
    assert done.returncode == 0
    return folder / "home"


def test_an_address_that_others_reach_is_refused_while_there_are_no_keys(home: Path, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "bank.example"):
        with pytest.raises(SettingsError, match="kgrisk keys add"):
            check_bind(host, keyed=False)
        check_bind(host, keyed=True)
    for host in ("127.0.0.1", "::1", "localhost"):
        check_bind(host, keyed=False)
    refused = kgrisk_here("serve", "--host", "0.0.0.0", "--home", home, cwd=tmp_path)
    assert refused.returncode == 1 and "there are no keys" in refused.stderr


def test_keys_are_made_listed_and_revoked(home: Path, tmp_path: Path) -> None:
    made = kgrisk_here("keys", "add", "ann", "--role", "viewer", "--home", home, "--json", cwd=tmp_path)
    assert json.loads(made.stdout)["key"].startswith("kgr_")
    listed = kgrisk_here("keys", "list", "--home", home, "--json", cwd=tmp_path)
    assert json.loads(listed.stdout) == [{"name": "ann", "role": "viewer", "hidden": []}]
    assert kgrisk_here("keys", "add", "ann", "--home", home, cwd=tmp_path).returncode == 1
    assert kgrisk_here("keys", "revoke", "ann", "--home", home, cwd=tmp_path).returncode == 0
    assert kgrisk_here("keys", "revoke", "ann", "--home", home, cwd=tmp_path).returncode == 1


def test_a_served_home_answers_at_the_address_it_tells_and_stops_when_told(home: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kgrisk.cli", "serve", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, cwd=tmp_path, env=clean_environment(), stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            said = server.stderr.readline()
            while "serving" not in said:
                assert said, "the server ended without a word"
                said = server.stderr.readline()
            address = re.findall(r"http://127\.0\.0\.1:\d+", said)[0]
            with urllib.request.urlopen(f"{address}/v1/entities/{BIG}") as answer:
                assert json.load(answer)["name"] == "Big Bank AG"
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(60) in (0, 130, -signal.SIGINT)
