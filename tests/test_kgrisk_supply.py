"""`kgrisk supply` and `kgrisk casestudy` as a user meets them, on the small registers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers

SUPPLY = f"""supplier_id,customer_id,amount,currency,valid_from,valid_to,published
{SMALL},{FIRM},10.00,EUR,2019-01-01,,2020-02-01
{FIRM},{BIG},8.00,EUR,2019-01-01,,2020-02-01
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small registers with two supplies, read into `home`."""
    folder = tmp_path_factory.mktemp("supplies")
    write_registers(folder / "inputs")
    (folder / "inputs" / "registers" / "supply.csv").write_text(SUPPLY)
    done = kgrisk_here("ingest", "inputs", "--home", "home", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_stopped_supplier_puts_sales_at_risk_hop_by_hop(world: Path) -> None:
    done = kgrisk_here("supply", BIG, "--shock", SMALL, "--home", "home", "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert (first["supplier"], first["customer"], second["customer"]) == (SMALL, FIRM, BIG)
    assert (first["customer_name"], second["customer_name"]) == ("Steel Works SA", "Big Bank AG")
    assert first["sales_at_risk"] == pytest.approx(50)  # revenues as the balance sheets state them
    assert second["sales_at_risk"] == pytest.approx(9) and second["currency"] == "EUR"
    told = kgrisk_here("supply", SMALL, "--shock", BIG, "--home", "home", cwd=world)
    assert told.returncode == 0 and f"{SMALL} lacks no input" in told.stdout


def test_supplies_in_several_currencies_are_counted_in_the_one_that_is_asked_for(tmp_path: Path) -> None:
    write_registers(tmp_path / "inputs")
    dollars = SUPPLY.replace("8.00,EUR", "8.00,USD")
    (tmp_path / "inputs" / "registers" / "supply.csv").write_text(dollars)
    assert kgrisk_here("ingest", "inputs", "--home", "home", "--json", cwd=tmp_path).returncode == 0
    asked = ("supply", BIG, "--shock", SMALL, "--home", "home", "--json")
    refused = kgrisk_here(*asked, cwd=tmp_path)
    assert refused.returncode == 1 and "EUR, USD" in refused.stderr
    rates = {"KGRISK_RATES": '{"USD": 0.5}'}
    for more, own in ((("--currency", "EUR"), rates), ((), {**rates, "KGRISK_CURRENCY": "EUR"})):
        done = kgrisk_here(*asked, *more, cwd=tmp_path, **own)
        assert done.returncode == 0, done.stderr
        assert [row["currency"] for row in json.loads(done.stdout)] == ["EUR", "EUR"]
    unknown = kgrisk_here("supply", BIG[:-1], "--shock", SMALL, "--home", "home", cwd=tmp_path)
    assert unknown.returncode == 1 and f"not in the graph at this instant; did you mean {BIG}" in unknown.stderr


def test_the_measure_reads_supplies_when_nobody_says_otherwise(world: Path) -> None:
    done = kgrisk_here("risk", "supply_cascade", "--shock", SMALL, "--home", "home", "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    losses = {row["id"]: row["loss"] for row in json.loads(done.stdout)["losses"]}
    assert losses[FIRM] == pytest.approx(50) and losses[BIG] == pytest.approx(9)
    spare = ["--param", "otherwise=linear", "--param", f"sectors={SMALL}=banking"]
    partly = kgrisk_here(
        "risk", "supply_cascade", "--shock", f"{SMALL}=0.5", *spare, "--home", "home", "--json", cwd=world
    )
    losses = {row["id"]: row["loss"] for row in json.loads(partly.stdout)["losses"]}
    assert losses[FIRM] < 50


def test_a_case_study_without_its_files_says_what_to_read_first(world: Path) -> None:
    for study, reason in (("eba", "no claims on governments here"), ("bis", "no claims on US here")):
        done = kgrisk_here("casestudy", study, "--home", "home", cwd=world)
        assert done.returncode == 1 and reason in done.stderr and "ingest the" in done.stderr
