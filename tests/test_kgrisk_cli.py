"""The command line as a user meets it: a process, its exit code, its stdout and its stderr."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk, kgrisk_here, write_registers


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with inputs read into `home`."""
    folder = tmp_path_factory.mktemp("world")
    write_registers(folder / "inputs")
    done = kgrisk("ingest", "inputs", "--home", "home", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["commit"] == 1 and report["sources"]["registers"]["claims"] > 20 and not report["quarantined"]
    return folder


def test_reading_the_same_folder_again_adds_nothing(world: Path) -> None:
    done = kgrisk("ingest", "inputs", "--home", "home", cwd=world)
    assert done.returncode == 0 and "nothing new; head is commit 1" in done.stdout
    assert "registers" in done.stderr, "progress goes to stderr"


def test_a_quarantined_record_is_told_and_gives_exit_code_3(tmp_path: Path) -> None:
    write_registers(tmp_path / "inputs", bad=True)
    done = kgrisk("ingest", "inputs", "--home", "home", "--json", cwd=tmp_path)
    assert done.returncode == 3
    (bad,) = json.loads(done.stdout)["quarantined"]
    assert bad["locator"] == "row:3" and "about ten" in bad["reason"]


def test_a_mistake_is_one_line_on_stderr_and_exit_code_1(tmp_path: Path) -> None:
    done = kgrisk("ingest", "nowhere", "--home", "home", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().splitlines()[-1].startswith("error: nowhere")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("args", [["ingest"], ["query", "x", "no-equals-sign"], ["risk", "--valid", "soon"], ["fly"]])
def test_wrong_usage_gives_exit_code_2(world: Path, args: list[str]) -> None:
    done = kgrisk(*args, cwd=world)
    assert done.returncode == 2 and done.stdout == ""


def test_a_setting_that_does_not_exist_stops_any_command(world: Path) -> None:
    done = kgrisk_here("config", cwd=world, KGRISK_SEEED="1")
    assert done.returncode == 1 and "KGRISK_SEED" in done.stderr


def test_config_shows_settings_and_no_secret(world: Path) -> None:
    done = kgrisk_here("config", "--json", cwd=world, NEO4J_PASSWORD="hunter2", KGRISK_SEED="7")
    shown = json.loads(done.stdout)
    assert shown["seed"] == 7 and "hunter2" not in done.stdout + done.stderr


def test_resolve_tells_its_judgements(world: Path) -> None:
    done = kgrisk_here("resolve", "--home", "home", "--json", cwd=world)
    assert done.returncode == 0 and json.loads(done.stdout)["judgements"] == 0


def test_a_named_query_prints_rows(world: Path) -> None:
    args = ("query", "exposure_by_counterparty", f"id={SMALL}", "--home", "home", "--json")
    done = kgrisk_here(*args, cwd=world)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["counterparty"], row["owed_minor"], row["currency"]) == (BIG, 10_000, "EUR")


def test_a_named_query_of_an_earlier_date_sees_less(world: Path) -> None:
    args = ("query", "exposure_by_counterparty", f"id={SMALL}", "--home", "home", "--json")
    assert json.loads(kgrisk_here(*args, "--valid", "2019-12-31", cwd=world).stdout) == []
    assert json.loads(kgrisk_here(*args, "--published", "2020-01-31", cwd=world).stdout) == []


def test_a_question_to_a_home_without_a_graph_makes_none(tmp_path: Path) -> None:
    done = kgrisk_here("query", "hit_if_fails", f"id={BIG}", cwd=tmp_path)
    assert done.returncode == 1 and "run `kgrisk ingest" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_missing_parameter_is_named(world: Path) -> None:
    done = kgrisk_here("query", "exposure_by_counterparty", "--home", "home", cwd=world)
    assert done.returncode == 1 and "id is missing" in done.stderr


def test_queries_are_listed_and_shown(world: Path) -> None:
    listed = json.loads(kgrisk_here("queries", "--json", cwd=world).stdout)
    assert len(listed) >= 15 and all(row["tells"] for row in listed)
    shown = kgrisk_here("queries", "hit_if_fails", cwd=world).stdout
    assert "$valid" in shown and "MATCH" in shown


def test_sources_are_listed(world: Path) -> None:
    names = {row["source"] for row in json.loads(kgrisk_here("sources", "--json", cwd=world).stdout)}
    assert {"filings", "news", "images", "trades", "registers"} <= names


def test_a_shock_gives_losses_in_money_and_the_path(world: Path) -> None:
    args = ("risk", "eisenberg_noe", "--shock", BIG, "--home", "home", "--json")
    done = kgrisk_here(*args, cwd=world)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    losses = {row["id"]: row["loss"] for row in told["losses"]}
    # the big bank owes 140 in all and is left with its claim of 40 on the firm: 100 * 40 / 140 is paid on the deposit
    assert told["unit"] == "EUR" and losses[SMALL] == pytest.approx(100 - 100 * 40 / 140)
    assert FIRM not in losses
    assert [(step["debtor"], step["creditor"]) for step in told["path"]] == [(BIG, SMALL)]


def test_a_shock_to_nobody_known_is_refused_with_a_near_id(world: Path) -> None:
    done = kgrisk_here("risk", "--shock", SMALL[:-1] + "4", "--home", "home", cwd=world)
    assert done.returncode == 1 and SMALL in done.stderr


def test_evidence_reads_back_from_the_document(world: Path) -> None:
    args = ("risk", "eisenberg_noe", "--shock", BIG, "--home", "home", "--json")
    statement = json.loads(kgrisk_here(*args, cwd=world).stdout)["path"][0]["statement"]
    told = json.loads(kgrisk_here("explain", statement, "--home", "home", "--json", cwd=world).stdout)
    (row,) = told["evidence"]
    assert row["read_back"] is True and row["locator"] == "row:2" and "100.00" in row["quote"]
    assert row["published"].startswith("2020-02-02") and row["known_from"] > "2026" and row["confidence"] == 1.0
    assert told["what"]["value"] == {"amount": "100"} and told["what"]["unit"] == "EUR"
    text = kgrisk_here("explain", f"equity:{BIG}", "--home", "home", cwd=world).stdout
    assert "equity of Big Bank AG" in text and "reads back" in text


def test_evidence_of_nothing_says_what_is_there(world: Path) -> None:
    done = kgrisk_here("explain", f"distress:{BIG}", "--home", "home", cwd=world)
    assert done.returncode == 1 and "equity" in done.stderr
    done = kgrisk_here("explain", f"equity:{BIG[:-1]}4", "--home", "home", cwd=world)
    assert done.returncode == 1 and BIG in done.stderr


@pytest.mark.parametrize("form", ["parquet", "csv", "graphml"])
def test_the_graph_is_exported(world: Path, form: str) -> None:
    done = kgrisk_here("export", f"out-{form}", "--format", form, "--home", "home", "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    folder = world / f"out-{form}"
    if form == "graphml":
        assert "Big Bank AG" in (folder / "graph.graphml").read_text()
        return
    if form == "parquet":
        rows = parquet.read_table(folder / "edges.parquet").to_pylist()
    else:
        rows = list(csv.DictReader((folder / "edges.csv").open()))
    loans = {(r["source"], r["target"]): r for r in rows if r["type"] == "LENDS_TO"}
    assert set(loans) == {(BIG, FIRM), (SMALL, BIG)} and float(loans[SMALL, BIG]["value_decimal"]) == 100


def test_an_unknown_form_of_export_is_refused(world: Path) -> None:
    done = kgrisk_here("export", "out", "--format", "xlsx", "--home", "home", cwd=world)
    assert done.returncode == 1 and "parquet" in done.stderr


def test_vectors_before_training_say_what_to_do(world: Path) -> None:
    done = kgrisk_here("embeddings", "--near", BIG, "--home", "home", cwd=world)
    assert done.returncode == 1 and "train" in done.stderr


def test_claims_of_a_file_are_printed_without_a_graph(world: Path) -> None:
    done = kgrisk_here("extract", "registers", world / "inputs/registers/exposures.csv", "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    claims = [json.loads(line) for line in done.stdout.splitlines()]
    (loan,) = [c for c in claims if c["kind"] == "edge" and c["target"] == FIRM]
    assert (loan["type"], loan["source"], loan["key"]) == ("LENDS_TO", BIG, "term loan")
    assert loan["props"] == {"amount": "40", "currency": "EUR"} and loan["locator"] == "row:1"
    assert loan["valid_from"].startswith("2020-01-01") and loan["valid_to"] is None and loan["confidence"] == 1.0
    assert "40.00" in loan["quote"]
    assert not (world / "kgrisk-home").exists()


def test_a_sentence_becomes_claims_with_its_place(tmp_path: Path) -> None:
    article = {
        "id": "1",
        "published": "2023-05-02T08:00:00Z",
        "title": "Loan",
        "body": "Alpha Bank plc granted Beta Steel AG a loan of EUR 12 million on Tuesday.",
    }
    (tmp_path / "news.jsonl").write_text(json.dumps(article) + "\nnot json\n")
    done = kgrisk_here("extract", "news", "news.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 3 and "quarantined" in done.stderr
    claims = [json.loads(line) for line in done.stdout.splitlines()]
    (loan,) = [c for c in claims if c["kind"] == "edge" and c["type"] == "LENDS_TO"]
    assert (loan["source"], loan["target"]) == ("name:alpha bank plc", "name:beta steel ag")
    assert loan["props"]["amount"] == "12000000" and loan["props"]["currency"] == "EUR"
    start, end = map(int, loan["locator"].removeprefix("chars:").split("-"))
    assert (article["title"] + "\n" + article["body"])[start:end] == loan["quote"]


def test_extract_names_the_sources_it_knows(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n")
    done = kgrisk_here("extract", "registrs", "x.csv", cwd=tmp_path)
    assert done.returncode == 1 and "did you mean registers" in done.stderr
    done = kgrisk_here("extract", "news", "missing.jsonl", cwd=tmp_path)
    assert done.returncode == 1 and "no such file" in done.stderr


def test_the_version_is_that_of_the_package(world: Path) -> None:
    assert kgrisk_here("--version", cwd=world).stdout.strip() == "kgrisk 0.1.0"
