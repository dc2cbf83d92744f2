"""`kgrisk serve` and `kgrisk keys` as they are typed."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from kg.errors import SettingsError
from kgrisk.serve_command import check_bind
from tests.kgrisk_world import BIG, kgrisk_here, served, write_registers


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
    nothing = {"hidden_labels": [], "hidden_sources": []}
    assert json.loads(listed.stdout) == [{"name": "ann", "role": "viewer", **nothing, "expires": ""}]
    assert kgrisk_here("keys", "add", "ann", "--home", home, cwd=tmp_path).returncode == 1
    revoked = kgrisk_here("keys", "revoke", "ann", "--home", home, cwd=tmp_path)
    assert revoked.returncode == 0 and "revoked" in revoked.stdout
    assert kgrisk_here("keys", "revoke", "ann", "--home", home, cwd=tmp_path).returncode == 1


def test_a_key_hides_labels_and_sources_and_ends_on_its_day(home: Path, tmp_path: Path) -> None:
    hiding = ("--hide-label", "Person", "--hide-source", "sanctions", "--expires", "2031-05-04")
    assert kgrisk_here("keys", "add", "eve", *hiding, "--home", home, cwd=tmp_path).returncode == 0
    (row,) = json.loads(kgrisk_here("keys", "list", "--home", home, "--json", cwd=tmp_path).stdout)
    hidden = (row["hidden_labels"], row["hidden_sources"])
    assert (*hidden, row["expires"]) == (["Person"], ["sanctions"], "2031-05-04")
    assert kgrisk_here("keys", "revoke", "eve", "--home", home, cwd=tmp_path).returncode == 0
    for wrong, says in (
        (("--hide-label", "Ghost"), "known: Company"),
        (("--expires", "soon"), "write it as 2027-12-31"),
    ):
        refused = kgrisk_here("keys", "add", "eve", *wrong, "--home", home, cwd=tmp_path)
        assert refused.returncode == 1 and says in refused.stderr


def test_a_served_home_answers_at_the_address_it_tells_and_stops_when_told(home: Path, tmp_path: Path) -> None:
    with (
        served("serve", "--home", str(home), cwd=tmp_path) as address,
        urllib.request.urlopen(f"{address}/v1/entities/{BIG}") as answer,
    ):
        assert json.load(answer)["name"] == "Big Bank AG"
