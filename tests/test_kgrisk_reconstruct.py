"""`kgrisk reconstruct`: from a file of sums to networks and losses with error bars, and what is wrong with a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from kg.errors import MeasureError
from kgrisk.reconstructed import Drawing, ranged_risk, read, told
from queries.measures.debtrank import DebtRank
from tests.kgrisk_world import kgrisk_here

SUMS = """id,assets,liabilities,equity,shock
a,7,4,3,2
b,5,5,2,
c,3,5,2,
d,1,0,1,
e,3,0,1,
f,0,2,1,
g,1,4,1,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sums.csv").write_text(SUMS)
    (tmp_path / "known.csv").write_text("creditor,debtor,amount\na,b,4\nb,c,0\n")
    return tmp_path


def test_drawn_networks_give_each_loss_a_range_and_the_same_seed_the_same_one(folder: Path) -> None:
    asked = ["reconstruct", "sums.csv", "--known", "known.csv", "--measure", "debtrank", "--draws", "30", "--json"]
    done, again = (kgrisk_here(*asked, cwd=folder) for _ in range(2))
    assert done.returncode == 0 and done.stdout == again.stdout
    found = json.loads(done.stdout)
    assert (found["networks"], found["measure"], found["way"]) == (30, "debtrank", "ensemble")
    assert found["total"]["low"] < found["total"]["mean"] < found["total"]["high"]
    assert found["losses"]["a"]["low"] >= 2 and set(found["losses"]) == set("abcdefg")


def test_the_evenest_and_the_sparsest_network_can_be_written_to_a_file(folder: Path) -> None:
    for way, links in (("entropy", 26), ("density", 9)):
        done = kgrisk_here(
            "reconstruct", "sums.csv", "--way", way, "--known", "known.csv", "--out", "net.csv", cwd=folder
        )
        assert done.returncode == 0 and "claims written" in done.stderr
        rows = list(csv.DictReader((folder / "net.csv").open()))
        assert {"creditor": "a", "debtor": "b", "amount": "4.0"} in rows and len(rows) <= links
        assert sum(float(row["amount"]) for row in rows) == pytest.approx(20, rel=1e-12)
        for id, claims in (("a", 7), ("e", 3)):
            assert sum(float(row["amount"]) for row in rows if row["creditor"] == id) == pytest.approx(claims, rel=1e-9)


def test_one_network_has_no_range_and_its_losses_are_those_of_the_measure(folder: Path) -> None:
    published = read(folder / "sums.csv")
    found = told(ranged_risk(published, DebtRank(), Drawing("entropy")))
    assert found["networks"] == 1 and set(found["total"]) == set(found["losses"]["a"]) == {"mean"}
    x = published.books.exposures(next(Drawing("entropy").networks(published.margins)))
    assert x.equity.tolist() == pytest.approx([3, 2, 2, 1, 1, 1, 1])
    direct = DebtRank().spread(x, published.shocks())
    assert found["total"]["mean"] == pytest.approx(direct.total[0], rel=1e-12)


def test_the_command_tells_no_range_over_one_network(folder: Path) -> None:
    for more in (("--way", "entropy"), ("--draws", "1")):
        done = kgrisk_here("reconstruct", "sums.csv", "--measure", "debtrank", *more, cwd=folder)
        assert done.returncode == 0 and "one network has no range" in done.stdout
        assert "90 %" not in done.stdout and "total " in done.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--way", "entropy", "--draws", "50", "--measure", "debtrank"), "--draws is of an ensemble"),
        (("--way", "density", "--density", "0.5"), "--density is of an ensemble"),
        (("--draws", "5"), "--draws is of a measure"),
        (("--shock", "a", "--kind", "equity"), "--shock, --kind is of a measure"),
        (("--density", "1.5"), "density 1.5: expected the share of pairs that are links, above 0 up to 1"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused_with_why(folder: Path, options: tuple[str, ...], told: str) -> None:
    done = kgrisk_here("reconstruct", "sums.csv", *options, cwd=folder)
    assert done.returncode and told in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("sums", "known", "reason"),
    [
        ("id,assets\na,1\n", "", "has no column liabilities"),
        ("id,assets,liabilities\na,1,x\n", "", r"line 2, liabilities 'x'"),
        ("id,assets,liabilities\na,1,1\na,1,1\n", "", "line 3, id 'a': it is there already"),
        ("id,assets,liabilities\na,1,2\nb,2,2\n", "", "claims sum to 3.0, debts to 4.0"),
        ("id,assets,liabilities,currency\na,1,1,EUR\nb,1,1,USD\n", "", "EUR, USD; convert"),
        ("id,assets,liabilities,equity\na,1,1,2\nb,1,1,\n", "", "line 3, equity '': expected this or external_assets"),
        ("id,assets,liabilities\na,1,1\nb,1,1\n", "a,z,1", "line 2, debtor 'z': expected one of the ids"),
        ("id,assets,liabilities\na,1,1\nb,1,1\n", "a,b,1\na,b,1", "line 3, debtor 'b': the claim of a on it"),
        ("id,assets,liabilities\na,1,1\nb,1,1\n", "a,b,2", "known claims of a sum to 2.0, more than its 1.0"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(folder: Path, sums: str, known: str, reason: str) -> None:
    (folder / "sums.csv").write_text(sums)
    (folder / "known.csv").write_text(f"creditor,debtor,amount\n{known}\n")
    with pytest.raises(MeasureError) as refused:
        read(folder / "sums.csv", folder / "known.csv" if known else None)
    assert reason in str(refused.value)


def test_a_run_without_a_shock_or_with_an_unknown_measure_says_so(folder: Path) -> None:
    (folder / "sums.csv").write_text("id,assets,liabilities,equity\na,1,1,1\nb,1,1,1\n")
    done = kgrisk_here("reconstruct", "sums.csv", "--measure", "debtrank", cwd=folder)
    assert done.returncode == 1 and "no column shock" in done.stderr
    done = kgrisk_here("reconstruct", "sums.csv", "--measure", "debtrunk", cwd=folder)
    assert done.returncode == 1 and "did you mean debtrank" in done.stderr
