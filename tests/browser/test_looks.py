"""The explorer as an analyst looks around in it: search, expand, paths, evidence, history, clocks."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.browser.world import AT, BANK, BANK_NAME, NEAR, NEAR_NAME, NEW, NEW_NAME, OTHER, OTHER_NAME, Page

Visit = Callable[..., Page]
pytestmark = pytest.mark.slow


def shown(page: Any) -> int:
    found: int = page.evaluate("kgrisk.nodes()")
    return found


def evidence(page: Any, statement: str) -> Any:
    page.evaluate(f"location.hash = 'panel=' + encodeURIComponent('evidence:{statement}') + '&valid={AT}'")
    page.wait_for_selector(".evidence article")
    return page.locator(".evidence")


def statement(visit: Page, path: str, kind: str) -> str:
    """A statement whose claim stands at a place of some kind, found through the API alone."""
    found = visit.page.request.get(f"{visit.address}/v1/{path}").json()
    for one in found.get("facts", []) + found.get("edges", []):
        told = visit.page.request.get(f"{visit.address}/v1/evidence/{one['statement']}").json()
        if told["claims"][0]["locator"].startswith(kind):
            return str(one["statement"])
    raise AssertionError(f"nothing of {path} stands at {kind}")


def test_a_search_by_name_shows_an_entity_among_its_neighbours(visit: Visit) -> None:
    at = visit()
    page = at.open()
    assert not page.locator("#legend").is_visible()
    at.shot("start")
    page.fill("#words", "rietdam")
    page.wait_for_selector("#hits li[aria-selected=true]")
    page.press("#words", "Enter")
    page.wait_for_selector(f"#panel h2:has-text('{BANK_NAME}')")
    at.drawn()
    assert shown(page) > 10
    assert page.locator("#listed summary").inner_text() == f"{shown(page)} entities shown"
    assert "#root=" in page.url and "0 entities" not in page.inner_text("#count")
    assert page.title().startswith(BANK_NAME)


def test_an_entity_is_expanded_step_by_step_and_what_is_left_is_counted(visit: Visit) -> None:
    at = visit()
    page = at.open(root=OTHER, id=OTHER, open=f"{OTHER}~10")
    more = page.get_by_role("button", name=re.compile(r"\d+ of \d+ more"))
    left = int(more.inner_text().split()[2])
    assert shown(page) == 11 and left > 10
    more.click()
    at.until(f"kgrisk.nodes() === {11 + left}")
    at.drawn()
    assert more.count() == 0
    page.locator("#listed summary").click()
    page.locator("#shown button", has_text=NEAR_NAME).first.click()
    at.drawn()
    page.get_by_role("button", name="Expand").click()
    at.until(f"kgrisk.nodes() > {12 + left}")


def edges_drawn(page: Any) -> int:
    """Pixels of the canvas that have the colour of an edge, or nearly."""
    page.wait_for_timeout(2500)
    seen = Image.open(io.BytesIO(page.locator("#canvas").screenshot())).convert("RGB").getcolors(1 << 22) or []
    own = (0xB6, 0xBF, 0xC9)
    return sum(count for count, colour in seen if max(abs(a - b) for a, b in zip(colour, own, strict=True)) < 14)


def test_the_edges_stay_on_the_canvas_after_every_act(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, valid=AT)
    first = edges_drawn(page)
    assert first > 500
    page.get_by_role("button", name="Expand").click()
    at.drawn()
    assert edges_drawn(page) > 0.5 * first
    assert page.inner_text("#notice").startswith("Nothing is left to expand")
    assert page.locator("#notice.fault").count() == 0
    page.locator("#panel").get_by_role("button", name="Shock").click()
    at.drawn()
    page.fill("#part", "50")
    page.press("#part", "Tab")
    at.drawn()
    assert edges_drawn(page) > 0.5 * first


def test_a_day_that_is_none_is_refused_and_one_out_of_reach_is_told(visit: Visit) -> None:
    at = visit(expected=("422",))
    page = at.open(root=BANK, id=BANK, valid="1890-01-01")
    assert page.inner_text(".clock:first-child output") == "1890-01-01"
    page = at.open(root=BANK, id=BANK, valid="2023-02-30")
    assert page.inner_text(".clock:first-child output").startswith("2023-02-30 is no day")
    assert "'2023-02-30' is no date" in page.inner_text("#notice.fault")


def test_a_click_on_a_node_of_the_canvas_looks_at_it(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, valid=AT)
    page.wait_for_timeout(500)
    place = page.evaluate("(id) => kgrisk.where(id)", NEAR)
    page.mouse.click(place["x"], place["y"])
    page.wait_for_selector(f"#panel h2:has-text('{NEAR_NAME}')")
    assert shown(page) > 10


def test_paths_between_two_banks_tell_what_each_edge_carries(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, panel="path", valid=AT)
    page.fill("#to", OTHER_NAME)
    page.wait_for_selector("#to-hits li[aria-selected=true]")
    page.press("#to", "Enter")
    page.wait_for_selector(".chain")
    at.drawn()
    assert page.locator(".chain").count() >= 2
    for chain in page.locator(".chain").all():
        ways = [hop[0] for hop in chain.locator(".hop").all_inner_texts()]
        assert "runs through all of it" not in chain.inner_text() or len(set(ways)) == 1, ways
    assert " EUR runs through all of it" in page.inner_text("#panel")
    at.shot("paths")
    page.locator(".hop button", has_text="EUR").first.click()
    page.wait_for_selector(".evidence tr.marked")


def test_the_sentence_is_marked_in_the_filing(visit: Visit) -> None:
    at = visit()
    at.open()
    api = at.page.request
    rows = api.get(f"{at.address}/v1/entities?label=Document&limit=500").json()["rows"]
    for row in rows:
        around = api.get(f"{at.address}/v1/entities/{row['id']}/neighbours").json()
        found = [edge for edge in around["edges"] if edge["type"] == "MENTIONED_IN"]
        if found:
            break
    told = evidence(at.page, found[0]["statement"])
    marked = told.locator("blockquote mark").first.inner_text()
    assert marked and marked in told.locator("blockquote").first.inner_text()
    assert len(told.locator("blockquote").first.inner_text()) > len(marked)
    at.shot("evidence-text")


def test_the_box_is_drawn_on_the_page_image(visit: Visit) -> None:
    at = visit()
    at.open()
    pages = at.page.request.get(f"{at.address}/v1/entities?label=Page").json()["rows"]
    own = statement(at, f"entities/{pages[0]['id']}", "page:1 box")
    told = evidence(at.page, own)
    told.locator(".page canvas").wait_for()
    drawn = at.page.evaluate(
        """() => { const sheet = document.querySelector('.page canvas');
        const all = sheet.getContext('2d').getImageData(0, 0, sheet.width, sheet.height).data;
        let edge = 0; for (let k = 0; k < all.length; k += 4) if (all[k] === 194 && all[k + 1] === 65) edge += 1;
        return [sheet.width, sheet.height, edge]; }"""
    )
    assert drawn[0] > 300 and drawn[1] > 300 and drawn[2] > 50
    at.shot("evidence-page")


def test_the_segment_of_the_call_can_be_heard(visit: Visit) -> None:
    at = visit()
    at.open()
    rows = at.page.request.get(f"{at.address}/v1/entities?label=Document&limit=500").json()["rows"]
    call = next(row for row in rows if "Quarterly call" in _title(at, row["id"]))
    own = statement(at, f"entities/{call['id']}/neighbours?limit=500", "time:")
    told = evidence(at.page, own)
    told.locator("audio").first.wait_for()
    at.until("document.querySelector('audio').duration > 0.5")
    assert told.locator("blockquote mark").first.inner_text()
    at.shot("evidence-sound")


def _title(at: Page, id: str) -> str:
    told = at.page.request.get(f"{at.address}/v1/entities/{id}").json()
    return " ".join(str(fact["value"]) for fact in told["facts"] if fact["property"] == "title")


def test_the_row_of_a_payment_is_marked_among_its_neighbours(visit: Visit) -> None:
    at = visit()
    at.open()
    alerts = at.page.request.get(f"{at.address}/v1/alerts?kind=finding").json()["rows"]
    told = evidence(at.page, alerts[0]["edges"][0])
    assert told.locator("tr.marked").count() >= 1 and told.locator("tbody tr").count() > 3
    assert "payer" in told.locator("thead").first.inner_text()
    at.shot("evidence-row")


def test_evidence_and_history_stand_beside_the_facts_of_an_entity(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK)
    page.get_by_role("button", name="history of equity").click()
    page.wait_for_selector(".history table")
    states = page.locator(".history tbody tr").all_inner_texts()
    assert any("said otherwise" in row and "3.21 bn EUR" in row for row in states)
    assert any("stands" in row and "2.71 bn EUR" in row for row in states)
    assert page.locator(".history svg circle.past").count() == 1
    at.shot("entity")
    page.get_by_role("button", name="evidence of equity").click()
    page.wait_for_selector(".evidence tr.marked")
    assert page.locator("h2", has_text=BANK_NAME).count() == 1


def test_what_is_not_there_at_an_instant_stays_as_a_ghost_and_says_so(visit: Visit) -> None:
    at = visit(expected=("404",))
    page = at.open(root=BANK, id=NEW)
    page.wait_for_selector(f"#panel h2:has-text('{NEW_NAME}')")
    before = shown(page)
    thumb = page.locator("#known")
    thumb.focus()
    thumb.press("Home")
    at.until("document.querySelector('#panel').textContent.includes('is not present at')")
    at.drawn()
    assert shown(page) == before
    page.locator("#listed summary").click()
    assert page.locator("#shown button.ghost", has_text=f"{NEW_NAME} (not present)").count() == 1
    assert "not present" in page.inner_text("#notice")
    at.shot("ghost")
    thumb.press("End")
    page.wait_for_selector(f"#panel h2:has-text('{NEW_NAME}')")
    at.drawn()
    assert page.locator("#shown button.ghost").count() == 0


def test_the_left_thumb_marks_what_came_and_went_since(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, valid=AT)
    left = page.locator("#since")
    left.focus()
    for _ in range(3):
        left.press("PageUp")
    at.until("document.querySelector('#notice').textContent.includes('new since')")
    at.drawn()
    assert "since=" in page.url and page.locator("#since").get_attribute("aria-valuetext") != "no comparison"
    said = page.inner_text("#notice")
    assert int(said.split(" edges are new")[0].split()[-1]) > 0
    at.shot("since")
    left.press("Home")
    at.until("!document.querySelector('#notice').textContent.includes('new since')")
    assert "since=" not in page.url.replace("knownsince=", "")
