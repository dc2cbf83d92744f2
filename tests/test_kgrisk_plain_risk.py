"""Any measure runs on two plain files: published examples by the command line, and errors that lead to the cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from kg import plugins
from kg.errors import MeasureError
from kgrisk.cli import app
from kgrisk.plain_risk import assess_files, read_network
from tests.kgrisk_world import kgrisk_here

EN_1 = "creditor,debtor,amount\nb,a,20\nc,a,10\na,b,5\nc,b,24\na,c,10\n"
RV = "creditor,debtor,amount\nb,a,30\na,b,5\nc,b,20\na,c,10\n"
RING = "creditor,debtor,amount\na,b,0.5\nb,c,0.5\nc,a,0.5\n"
WALK = "creditor,debtor,amount\n1,0,1\n2,0,1\n2,1,1\n0,2,1\n2,3,1\n"
MEASURES = plugins.names("queries.measures")
ANSWER = ["measure", "payments", "losses", "equity", "defaults", "rounds", "converged"]


def written(folder: Path, exposures: str, banks: str) -> tuple[Path, Path]:
    files = folder / "edges.csv", folder / "banks.csv"
    for file, text in zip(files, (exposures, banks), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def told(folder: Path, exposures: str, banks: str, measure: str, *params: str) -> dict[str, Any]:
    """The JSON that the command prints."""
    edges, sheets = written(folder, exposures, banks)
    more = [part for param in params for part in ("--param", param)]
    found = CliRunner().invoke(
        app, ["risk", measure, "--exposures", str(edges), "--banks", str(sheets), *more, "--json"]
    )
    assert found.exit_code == 0, found.output
    answer: dict[str, Any] = json.loads(found.stdout)
    assert list(answer) == ANSWER
    return answer


def numbers(by_id: dict[str, float]) -> list[float]:
    return list(by_id.values())


def test_example_en_1(tmp_path: Path) -> None:
    found = told(tmp_path, EN_1, "id,external_assets\na,10\nb,10\nc,10\n", "eisenberg_noe")
    np.testing.assert_allclose(numbers(found["payments"]), [270 / 11, 290 / 11, 10], rtol=1e-9)
    np.testing.assert_allclose(numbers(found["equity"]), [-60 / 11, -29 / 11, 30], rtol=1e-9)
    # book equity is -5, 1 and 34: what contagion alone took from it
    np.testing.assert_allclose(numbers(found["losses"]), [5 / 11, 40 / 11, 4], rtol=1e-9)
    assert (found["measure"], found["defaults"]) == ("eisenberg_noe", ["a", "b"])
    assert (found["rounds"], found["converged"]) == (2, True)


@pytest.mark.parametrize(
    ("params", "payments", "equity", "defaults"),
    [
        ((), [25, 25, 10], [-5, 5, 15], ["a"]),
        (("alpha=0.4", "beta=1"), [18, 20, 10], [-6, -2, 11], ["a", "b"]),
    ],
)
def test_examples_rv_1_and_2(
    tmp_path: Path, params: tuple[str, ...], payments: list[float], equity: list[float], defaults: list[str]
) -> None:
    found = told(tmp_path, RV, "id,external_assets\na,10\nb,5\nc,5\n", "rogers_veraart", *params)
    np.testing.assert_allclose(numbers(found["payments"]), payments, rtol=1e-9)
    np.testing.assert_allclose(numbers(found["equity"]), equity, rtol=1e-9)
    assert found["defaults"] == defaults


BOOKS = "id,external_assets,external_liabilities,shock\na,10,9,{}\nb,5,4,{}\nc,3,2,{}\n"


@pytest.mark.parametrize(
    ("shock", "equity", "defaults"),
    [
        ((0.5, 0, 0), [3 / 7, 6 / 7, 5 / 7], []),
        ((0.5, 0.5, 0.5), [0, 0, 0], ["a", "b", "c"]),
        ((1, 0, 0), [-0.125, 0.75, 0.5], ["a"]),
    ],
)
def test_examples_dr_1_to_3_by_both_measures_that_know_debtrank(
    tmp_path: Path, shock: tuple[float, ...], equity: list[float], defaults: list[str]
) -> None:
    for measure, params in (("debtrank", ()), ("neva", ("valuation=debtrank",))):
        found = told(tmp_path, RING, BOOKS.format(*shock), measure, *params)
        np.testing.assert_allclose(numbers(found["equity"]), equity, atol=1e-9)
        np.testing.assert_allclose(1 - np.array(numbers(found["losses"])), equity, atol=1e-9)
        assert found["defaults"] == defaults
        assert set(found["payments"].values()) == {None}


def test_example_en_2_and_values_before_default(tmp_path: Path) -> None:
    found = told(tmp_path, RING, BOOKS.format(1.2, 0.9, 0.1), "neva")
    np.testing.assert_allclose(numbers(found["equity"]), [-0.2, 0.1, 0.9 - 0.1 / 9.5], rtol=1e-9)
    found = told(tmp_path, RING, BOOKS.format(0.5, 1, 0), "neva", "valuation=black_cox", "recovery=0.6")
    np.testing.assert_allclose(numbers(found["equity"]), [0.3, 0, 0.9779248984], atol=1e-9)


def test_equity_alone_is_enough_for_measures_of_distress(tmp_path: Path) -> None:
    found = told(tmp_path, RING, "id,equity,shock\na,2,0.5\nb,1,0.5\nc,0.5,0.1\n", "debtrank")
    np.testing.assert_allclose(numbers(found["equity"]), [38 / 35, 6 / 35, 6 / 35], rtol=1e-9)


def test_a_rank_needs_no_money_and_its_shock_is_a_share(tmp_path: Path) -> None:
    found = told(tmp_path, WALK, "id,shock\n0,1\n1,0\n2,0\n3,\n", "pagerank", "alpha=0.85")
    np.testing.assert_allclose(numbers(found["losses"]), [0.4522329, 0.1921990, 0.3555681, 0], atol=5e-8)
    assert found["defaults"] == []
    assert set(found["equity"].values()) == {None}


def test_ranks_of_the_file_are_used_by_the_measure_that_knows_ranks(tmp_path: Path) -> None:
    edges = "creditor,debtor,amount,seniority\nb,a,10,1\nc,a,10,3\n"
    found = told(tmp_path, edges, "id,external_assets\na,12\nb,0\nc,0\n", "elsinger", "holdings=c>a=0.5")
    assert numbers(found["equity"]) == pytest.approx([-8, 10, 2])
    equal = told(tmp_path, edges, "id,external_assets\na,12\nb,0\nc,0\n", "eisenberg_noe")
    assert numbers(equal["equity"]) == pytest.approx([-8, 6, 6])


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_runs_and_its_losses_are_what_equity_lost(tmp_path: Path, measure: str) -> None:
    found = told(tmp_path, RING, BOOKS.format(0.6, 0.1, 0), measure)
    assert set(found["losses"]) == {"a", "b", "c"} == set(found["payments"]) == set(found["equity"])
    assert all(loss >= 0 for loss in found["losses"].values()) and found["losses"]["a"] > 0
    assert found["converged"] is True
    for id, equity in found["equity"].items():
        assert equity is None or equity + found["losses"][id] == pytest.approx(1)


@pytest.mark.parametrize(
    ("sheet", "assets", "owed", "equity"),
    [
        ("external_assets\na,10\nb,0", [10, 0], [0, 0], [6, 4]),
        ("external_assets,external_liabilities\na,10,3\nb,,", None, None, None),
        ("external_assets,external_liabilities\na,10,3\nb,0,1", [10, 0], [3, 1], [3, 3]),
        ("equity\na,6\nb,1", [10, 0], [0, 3], [6, 1]),
        ("equity,external_liabilities\na,6,2\nb,5,1", [12, 2], [2, 1], [6, 5]),
        ("external_assets,equity\na,10,1\nb,2,6", [10, 2], [5, 0], [1, 6]),
        ("external_assets,external_liabilities,equity\na,10,5,1\nb,2,0,6.0001", [10, 2], [5, 0], [1, 6.0001]),
    ],
)
def test_what_is_missing_of_a_balance_sheet_follows_from_the_rest(
    tmp_path: Path, sheet: str, assets: list[float] | None, owed: list[float], equity: list[float]
) -> None:
    """b has a claim of 4 on a."""
    files = written(tmp_path, "creditor,debtor,amount\nb,a,4\n", f"id,{sheet}\n")
    x = read_network(*files).exposures
    if assets is None:
        assert np.isnan(x.equity[1]) and x.assumed == ("b",)
        return
    np.testing.assert_allclose(x.external_assets, assets)
    np.testing.assert_allclose(x.external_liabilities, owed)
    np.testing.assert_allclose(x.equity, equity)


SOUND = "id,external_assets\na,10\nb,10\n"


@pytest.mark.parametrize(
    ("edges", "banks", "error"),
    [
        ("", SOUND, r"edges.csv is empty; expected the header creditor,debtor,amount"),
        ("creditor,debtor\na,b\n", SOUND, r"edges.csv has no column amount: its header is creditor,debtor"),
        ("creditor,debtor,amount\na,z,1\n", SOUND, r"edges.csv line 2, debtor 'z': z has no row in banks.csv"),
        ("creditor,debtor,amount\na,b,-1\n", SOUND, r"edges.csv line 2, amount '-1': expected a finite number of at"),
        ("creditor,debtor,amount\n\na,b,nan\n", SOUND, r"edges.csv line 3, amount 'nan'"),
        ("creditor,debtor,amount\na,b,\n", SOUND, r"line 2, amount '': expected a finite number"),
        ('creditor,debtor,amount\na,b,"1,000"\n', SOUND, r"line 2, amount '1,000'"),
        ("creditor,debtor,amount\na,b\n", SOUND, r"edges.csv line 2 has 2 cells, its header 3"),
        ("creditor,debtor,amount\n,b,1\n", SOUND, r"line 2, creditor '': expected an id"),
        ("creditor,debtor,amount,currency\na,b,1,EUR\nb,a,1,USD\n", SOUND, r"EUR at .*line 2, USD at .*line 3"),
        ("creditor,debtor,amount,seniority\na,b,1,1.5\n", SOUND, r"seniority '1.5': expected a whole number"),
        (RING, "id,external_assets\n", r"banks.csv has a header and no row"),
        (RING, "id,external_assets\na,1\nb,1\na,2\n", r"banks.csv line 4, id 'a': a is there already on line 2"),
        (RING, "id,external_asset\na,1\n", r"column 'external_asset'; did you mean external_assets"),
        (RING, "id,id\na,1\n", r"has column id twice"),
        ("creditor,debtor,amount\na,b,1\n", "id,equity,shock\na,1,-1\nb,1,0\n", r"line 2, shock '-1'"),
        (
            "creditor,debtor,amount\na,b,1\n",
            "id,equity\na,1\nb,\n",
            r"line 3: b has neither equity nor external_assets",
        ),
        (
            "creditor,debtor,amount\na,b,1\n",
            "id,external_assets,external_liabilities,equity\na,5,1,9\nb,1,0,0\n",
            r"banks.csv line 2, equity '9': expected 5, for external_assets 5, \+1 of claims .* leave one of",
        ),
        ("creditor,debtor,amount\na,b,1\n", "id,shock\na,5\nb,0\n", r"line 2, shock '5': .* the share that is gone"),
    ],
)
def test_a_bad_cell_is_told_with_file_line_and_what_was_expected(
    tmp_path: Path, edges: str, banks: str, error: str
) -> None:
    with pytest.raises(MeasureError, match=error):
        assess_files("debtrank", written(tmp_path, edges, banks), {})


def test_columns_that_are_not_read_and_loans_to_oneself_are_told(tmp_path: Path) -> None:
    files = written(tmp_path, "creditor,debtor,amount,note\na,a,1,x\nb,a,1,y\nb,a,2,z\n", SOUND)
    losses, remarks = assess_files("eisenberg_noe", files, {})
    assert losses.exposures.edges["id"].to_pylist() == ["b>a", "b>a#2"]
    assert [remark.rpartition("edges.csv: ")[2] for remark in remarks[:2]] == [
        "column note is not read",
        "1 exposures to oneself are left out",
    ]


@pytest.mark.parametrize("missing", ["--exposures", "--banks"])
def test_both_files_and_a_measure_are_needed(tmp_path: Path, missing: str) -> None:
    edges, banks = written(tmp_path, RING, SOUND)
    given = {"--exposures": str(edges), "--banks": str(banks)}
    del given[missing]
    found = CliRunner().invoke(app, ["risk", "debtrank", *next(iter(given.items()))])
    assert found.exit_code == 2
    assert "takes all three" in found.output


def test_a_wrong_measure_or_parameter_is_told_with_what_is_known(tmp_path: Path) -> None:
    files = written(tmp_path, EN_1, SOUND)
    with pytest.raises(MeasureError, match="did you mean eisenberg_noe"):
        assess_files("eisenberg_no", files, {})
    with pytest.raises(MeasureError, match="rogers_veraart has no parameter 'alfa'; known: alpha, beta"):
        assess_files("rogers_veraart", files, {"alfa": "0.5"})


def test_people_get_a_table(tmp_path: Path) -> None:
    edges, banks = written(tmp_path, EN_1, "id,external_assets\na,10\nb,10\nc,10\n")
    found = CliRunner().invoke(app, ["risk", "eisenberg_noe", "--exposures", str(edges), "--banks", str(banks)])
    assert found.exit_code == 0
    assert "24.545" in found.stdout and "2 rounds, settled" in found.stdout


def test_a_shock_of_the_command_line_stands_instead_of_the_column(tmp_path: Path) -> None:
    files = written(tmp_path, RING, BOOKS.format(0, 0, 0))
    losses, _ = assess_files("debtrank", files, {}, "a=0.5")
    np.testing.assert_allclose(1 - losses.loss[0], [3 / 7, 6 / 7, 5 / 7], rtol=1e-9)


def test_a_shock_that_takes_nothing_is_told_by_name(tmp_path: Path) -> None:
    edges, banks = tmp_path / "edges.csv", tmp_path / "banks.csv"
    edges.write_text("creditor,debtor,amount\nb,a,20\n")
    banks.write_text("id,external_assets,equity\na,15,-5\nb,10,30\n")
    words = ("risk", "eisenberg_noe", "--exposures", str(edges), "--banks", str(banks), "--shock", "a=0.5", "--json")
    found = kgrisk_here(*words, cwd=tmp_path)
    assert found.returncode == 0 and "the shock takes no money" in found.stderr and ": a;" in found.stderr


def test_options_that_only_a_graph_can_answer_are_refused_on_plain_files(tmp_path: Path) -> None:
    words = ("risk", "eisenberg_noe", "--exposures", "e.csv", "--banks", "b.csv", "--label", "Bank", "--draws", "10")
    found = kgrisk_here(*words, cwd=tmp_path)
    assert found.returncode == 2 and "--label, --draws asks a graph" in " ".join(found.stderr.replace("│", " ").split())


def test_a_file_without_exposures_says_that_nothing_can_spread(tmp_path: Path) -> None:
    edges, banks = tmp_path / "edges.csv", tmp_path / "banks.csv"
    edges.write_text("creditor,debtor,amount\n")
    banks.write_text("id,external_assets\na,15\n")
    found = kgrisk_here(
        "risk", "eisenberg_noe", "--exposures", str(edges), "--banks", str(banks), "--json", cwd=tmp_path
    )
    assert "no exposure between two banks" in found.stderr
