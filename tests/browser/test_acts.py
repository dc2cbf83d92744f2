"""The explorer as an analyst works in it: shocks compared, questions, alerts to cases, what is taken and shared."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.browser.world import AT, BANK, BANK_NAME, NEAR, NEAR_NAME, OTHER, OTHER_NAME, Page

Visit = Callable[..., Page]
pytestmark = pytest.mark.slow


def taken(page: Any, button: Any) -> tuple[str, bytes]:
    """Name and bytes of the file that a button gives."""
    with page.expect_download() as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def pick(page: Any, box: str, name: str) -> None:
    page.fill(box, name)
    page.wait_for_selector(f"{box}-hits li[aria-selected=true]")
    page.press(box, "Enter")


def test_a_shock_tells_losses_and_how_they_differ_from_another_one(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, panel="shock", valid=AT)
    pick(page, "#hit", BANK_NAME)
    page.wait_for_selector(".total")
    at.drawn()
    told = page.inner_text(".total")
    assert told.startswith("Loss of ") and "EUR" in told
    assert page.locator("figure.chart svg rect.bar").count() >= 2 and "loss" in page.inner_text("#legend")
    api = page.request.post(f"{at.address}/v1/risk?valid={AT}", data={"shock": {BANK: 1.0}}).json()
    own = next(row["loss"] for row in api["losses"] if row["id"] == BANK)
    apart = page.inner_text(".apart")
    assert f"{own / 1e9:,.2f} bn EUR of who was shocked" in apart and f"{api['losers'] - 1} others" in apart
    assert f"{100 * own / next(row['equity'] for row in api['losses'] if row['id'] == BANK):.1f} %" in page.inner_text(
        "#panel tbody tr:first-child"
    )
    assert " bn EUR" in page.inner_text("#legend .scale")
    assert told.split()[2].rstrip(":") == str(api["losers"])
    at.shot("shock")
    page.select_option("#against", "shock:")
    at.drawn()
    pick(page, "#other-hit", OTHER_NAME)
    page.wait_for_selector(".tiles")
    at.drawn()
    other = page.request.post(f"{at.address}/v1/risk?valid={AT}", data={"shock": {OTHER: 1.0}}).json()
    difference = page.inner_text(".tile:last-child strong")
    assert difference.startswith("−" if api["total"] < other["total"] else "+")
    assert f"{abs(api['total'] - other['total']) / 1e9:,.2f}" in difference
    assert page.locator("rect.bar.other").count() >= 2 and OTHER_NAME in page.inner_text("#panel")
    at.shot("scenario-diff")


def test_a_shock_is_compared_with_itself_at_an_earlier_instant(visit: Visit) -> None:
    at = visit()
    page = at.open(
        root=BANK, id=BANK, panel="shock", valid=AT, since="2021-12-31", shock=quote(BANK, safe=""), against="clocks"
    )
    page.wait_for_selector(".tiles")
    assert "as of 2021-12-31" in page.inner_text("#panel")
    assert page.locator("table caption", has_text="Difference of the losses").count() == 1


@pytest.mark.parametrize("given", ["0", "-5", "101"])
def test_a_part_that_cannot_fail_is_refused_in_words(visit: Visit, given: str) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, panel="shock", valid=AT, shock=quote(BANK, safe=""), part="0.5")
    before = page.inner_text(".total")
    page.fill("#part", given)
    page.press("#part", "Tab")
    said = page.inner_text("#refused")
    assert said.startswith(f"{given} is no part that can fail") and "50 per cent" in said
    assert page.inner_text(".total") == before and "part=0.5" in page.url


def test_a_query_of_somebody_unknown_says_so(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, panel="queries", query="hit_if_fails", valid=AT)
    page.fill("#p-id", "lei:NOBODY")
    page.get_by_role("button", name="Ask").click()
    page.wait_for_selector("#panel .warn")
    assert page.inner_text("#panel .warn").startswith("no entity lei:NOBODY is known")


def test_more_alerts_are_asked_for_until_all_are_there(visit: Visit) -> None:
    at = visit()
    at.page.route("**/v1/alerts?*", lambda asked: asked.continue_(url=asked.request.url.replace("=100", "=2")))
    page = at.open(panel="alerts")
    total = int(page.inner_text("#panel caption").split()[2])
    assert total > 2 and page.locator("#panel tbody tr").count() == 2
    more = page.locator("#panel").get_by_role("button", name=f"of {total - 2} more")
    more.click()
    at.until(f"document.querySelectorAll('#panel tbody tr').length === {min(4, total)}")
    assert page.inner_text("#panel caption").startswith(f"{min(4, total)} of {total} alerts")


def test_a_click_on_the_graph_picks_who_fails(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, panel="shock", valid=AT)
    page.wait_for_timeout(500)
    place = page.evaluate("(id) => kgrisk.where(id)", NEAR)
    page.mouse.click(place["x"], place["y"])
    page.wait_for_selector(f".chips li:has-text('{NEAR_NAME}')")
    page.get_by_role("button", name=f"leave {NEAR_NAME} out").click()
    page.wait_for_selector(".chips li", state="detached")


def test_a_named_query_is_a_form_with_a_table_a_chart_and_its_cypher(visit: Visit) -> None:
    at = visit(permissions=["clipboard-read", "clipboard-write"])
    page = at.open(root=BANK, id=BANK, panel="queries", valid=AT)
    page.select_option("#query", "exposure_by_counterparty")
    page.wait_for_selector("#p-id")
    assert page.input_value("#p-id") == BANK
    page.get_by_role("button", name="Ask").click()
    page.wait_for_selector("figure.chart svg rect.bar")
    at.drawn()
    rows = page.locator("#panel tbody tr").count()
    api = page.request.post(f"{at.address}/v1/queries/exposure_by_counterparty?valid={AT}", data={"id": BANK}).json()
    assert rows == len(api["rows"]) > 3
    assert "owed by" in page.inner_text("figcaption") and " EUR" in page.locator("text.value").first.text_content()
    at.shot("query")
    name, content = taken(page, page.get_by_role("button", name="csv", exact=True).last)
    assert name == "exposure_by_counterparty.csv"
    assert len(list(csv.DictReader(io.StringIO(content.decode())))) == rows
    page.get_by_role("button", name="Copy as Cypher").click()
    at.until("document.querySelector('#notice').textContent === 'Copied.'")
    cypher = page.evaluate("navigator.clipboard.readText()")
    assert f"{{id: '{BANK}'}}" in cypher and "$" not in cypher and "r.valid_from <= '2023-03-31" in cypher


def test_an_alert_becomes_a_case_with_a_note_and_a_pack_that_proves_itself(visit: Visit) -> None:
    at = visit()
    page = at.open(panel="alerts", kind="finding")
    at.shot("alerts")
    page.get_by_role("button", name="Open a case on").first.click()
    page.wait_for_selector("#title")
    page.fill("#title", "Money that runs in a circle")
    page.fill("#why", "three accounts in three days")
    page.get_by_role("button", name="Open the case").click()
    page.wait_for_selector(".case")
    page.fill("#said", "Asked the branch for the contracts.")
    page.get_by_role("button", name="Add note").click()
    page.wait_for_selector(".entries p:has-text('Asked the branch')")
    at.shot("case")
    name, content = taken(page, page.get_by_role("button", name="Evidence pack"))
    assert name.startswith("case-") and name.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told = json.loads(archive.read("case.json"))
        claims = json.loads(archive.read("claims.json"))
    assert told["title"] == "Money that runs in a circle" and told["missing"] == []
    assert any("payer" in claim["quote"] or claim["locator"].startswith("row:") for claim in claims)
    page.fill("#said", "Explained by a loan and its repayment.")
    page.get_by_role("button", name="Close case").click()
    page.wait_for_selector("button:has-text('Reopen')")
    page.get_by_role("button", name="All cases").click()
    page.wait_for_selector("td:has-text('closed')")


def test_what_is_shown_can_be_taken_as_picture_and_tables(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, valid=AT, panel="data")
    page.wait_for_selector("caption:has-text('edges')")
    at.shot("table")
    legend = page.locator("#legend")
    _, picture = taken(page, legend.get_by_role("button", name="PNG"))
    assert len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(1 << 20) or []) > 20
    _, text = taken(page, legend.get_by_role("button", name="CSV"))
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    _, parquet = taken(page, legend.get_by_role("button", name="Parquet"))
    assert pq.read_table(io.BytesIO(parquet)).num_rows == len(rows) >= page.evaluate("kgrisk.edges()")
    assert {"source", "target", "statement", "valid_from"} <= set(rows[0])
    _, arrow = taken(page, page.get_by_role("button", name="nodes arrow"))
    assert len(arrow) > 100


def test_a_link_shows_another_reader_the_same(visit: Visit) -> None:
    one = visit(permissions=["clipboard-read", "clipboard-write"])
    page = one.open(root=BANK, id=NEAR, valid=AT, heat="warning")
    page.locator("#legend").get_by_role("button", name="Link").click()
    one.until("document.querySelector('#notice').textContent.includes('copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    other = visit()
    other.page.goto(link)
    other.drawn()
    assert other.page.inner_text("#panel h2") == NEAR_NAME
    assert other.page.evaluate("kgrisk.nodes()") == page.evaluate("kgrisk.nodes()")
    assert other.page.input_value("#valid") == page.input_value("#valid")


def test_a_saved_view_brings_back_positions_filters_and_camera(visit: Visit) -> None:
    one = visit(permissions=["clipboard-read", "clipboard-write"])
    page = one.open(root=BANK, id=BANK, valid=AT, heat="warning")
    page.focus("#canvas")
    page.keyboard.press("+")
    page.wait_for_timeout(600)
    page.locator("#legend").get_by_role("button", name="Save view").click()
    one.until("document.querySelector('#notice').textContent.includes('saved as')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "?view=" in link
    other = visit()
    other.page.goto(link)
    other.drawn()
    other.page.wait_for_timeout(600)
    for id in (BANK, NEAR):
        here, there = (own.evaluate("(id) => kgrisk.where(id)", id) for own in (page, other.page))
        assert abs(here["x"] - there["x"]) < 3 and abs(here["y"] - there["y"]) < 3
    assert other.page.input_value("select[aria-label='Colour by']") == "warning"
