"""Everybody can use the explorer: by keyboard alone, on a phone, in the dark, with little colour vision or none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.world import AT, BANK, BANK_NAME, PHONE, Page

Visit = Callable[..., Page]
pytestmark = pytest.mark.slow
VIEWS = (
    {},
    {"root": BANK, "id": BANK, "valid": AT},
    {"root": BANK, "id": BANK, "panel": "shock", "against": "shock:"},
    {"root": BANK, "id": BANK, "panel": "queries", "query": "exposure_by_counterparty"},
    {"panel": "alerts"},
    {"root": BANK, "panel": "data"},
    {"panel": "cases", "about": BANK.replace(":", "%3A")},
)
CONTROLS = "button, input, select, textarea, a[href], summary, [role=region], svg[role=img], canvas[role=img]"
NAMELESS = """(controls) => [...document.querySelectorAll(controls)]
  .filter((own) => own.offsetParent !== null || own instanceof SVGElement)
  .filter((own) => !(own.getAttribute('aria-label') || own.textContent.trim() || own.labels?.length || own.title))
  .map((own) => own.outerHTML.slice(0, 120))"""
COLOURS = """(names) => { const own = getComputedStyle(document.documentElement);
  return Object.fromEntries(names.map((name) => [name, own.getPropertyValue('--' + name).trim()])); }"""


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_control_of_every_panel_has_a_name(visit: Visit) -> None:
    at = visit()
    for state in VIEWS:
        page = at.open(**state)
        assert page.evaluate(NAMELESS, CONTROLS) == [], state
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((own) => own.id)")
        assert len(ids) == len(set(ids)), state


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_they_stand_on(visit: Visit, scheme: str) -> None:
    at = visit(color_scheme=scheme)
    page = at.open(root=BANK, id=BANK, valid=AT)
    found = page.evaluate(
        COLOURS, ["ink", "fine", "act", "warn", "paper", "soft", "mark", "marked", "edge", "focus", "bar"]
    )
    for words in ("ink", "fine", "act", "warn"):
        for ground in ("paper", "soft"):
            assert contrast(found[words], found[ground]) >= 4.5, (words, ground, found)
    assert contrast(found["ink"], found["mark"]) >= 4.5 and contrast(found["ink"], found["marked"]) >= 4.5
    for line in ("edge", "focus", "bar"):
        assert contrast(found[line], found["paper"]) >= 3.0, (line, found)
    if scheme == "dark":
        at.shot("dark")


def test_the_ramp_grows_lighter_all_the_way(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, valid=AT)
    stops = re.findall(r"rgb\((\d+), (\d+), (\d+)\)", page.locator(".ramp").get_attribute("style") or "")
    stops = stops or re.findall(r"rgb\((\d+),(\d+),(\d+)\)", page.locator(".ramp").get_attribute("style") or "")
    light = [luminance("#" + "".join(f"{int(part):02x}" for part in stop)) for stop in stops]
    assert len(light) == 9 and light == sorted(light) and light[-1] - light[0] > 0.7


def test_the_whole_way_from_search_to_evidence_goes_by_keyboard(visit: Visit) -> None:
    at = visit()
    page = at.open()
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    at.shot("keys")
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()
    page.keyboard.press("/")
    page.keyboard.type("rietdam bank")
    page.wait_for_selector("#hits li[aria-selected=true]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#panel h2:has-text('{BANK_NAME}')")
    at.drawn()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "canvas"
    page.keyboard.press("ArrowRight")
    assert "Enter looks at it" in page.inner_text("#notice")
    name = page.inner_text("#notice").split(":")[0]
    page.keyboard.press("Enter")
    page.wait_for_selector(f'#panel h2:has-text("{name}")')
    at.drawn()
    before = page.evaluate("kgrisk.nodes()")
    page.focus("#canvas")
    page.keyboard.press("e")
    at.drawn()
    assert page.evaluate("kgrisk.nodes()") >= before and "open=" in page.url
    page.keyboard.press("/")
    page.keyboard.type("rietdam bank")
    page.wait_for_selector("#hits li[aria-selected=true]")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#panel h2:has-text('{BANK_NAME}')")
    at.drawn()
    page.keyboard.press("Escape")
    _tab_to(page, "evidence")
    page.keyboard.press("Enter")
    page.wait_for_selector(".evidence article")


def _tab_to(page: Any, words: str) -> None:
    """Tab until the focus is on a button that begins so; it is always to be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate("document.activeElement.textContent")
        if here.startswith(words):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            return
    raise AssertionError(f"no {words!r} within 80 steps")


def test_the_focus_goes_from_search_over_panels_and_graph_to_the_panel_and_the_clocks(visit: Visit) -> None:
    at = visit()
    page = at.open(root=BANK, id=BANK, valid=AT)
    page.evaluate("document.activeElement.blur()")
    seen: list[str] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        where = page.evaluate(
            "document.activeElement.closest('#search, #tabs, #canvas, #legend, #panel, #clocks')?.id ?? ''"
        )
        if where and (not seen or seen[-1] != where):
            seen.append(where)
        if where == "clocks":
            break
    assert seen == ["search", "tabs", "canvas", "legend", "panel", "clocks"]


def test_a_phone_shows_all_of_it_without_scrolling_sideways(visit: Visit) -> None:
    at = visit(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=1)
    for state in VIEWS[1:5]:
        page = at.open(**state)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, state
    page = at.open(root=BANK, id=BANK, valid=AT)
    small = page.evaluate(
        "[...document.querySelectorAll('button:not(.link)')].filter((own) => own.offsetParent && own.offsetHeight < 24)"
        ".length"
    )
    assert small == 0
    at.shot("phone")
    page.fill("#words", BANK_NAME)
    page.locator("#hits li").first.tap()
    page.wait_for_selector(f"#panel h2:has-text('{BANK_NAME}')")


HEADING = "document.querySelector('#panel h2').getBoundingClientRect().top"


def test_a_phone_brings_the_reader_to_the_panel_of_a_tab_or_a_link(visit: Visit) -> None:
    at = visit(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=1)
    page = at.open()
    assert page.evaluate(HEADING) < page.evaluate("document.querySelector('#canvas').getBoundingClientRect().top")
    page = at.open(root=BANK, id=BANK, panel="shock", valid=AT)
    assert 0 <= page.evaluate(HEADING) < 400
    for words in ("At risk", "Alerts", "Queries", "Shock", "Shock"):
        page.evaluate("scrollTo(0, 0)")
        page.locator("#tabs").get_by_role("button", name=words, exact=True).tap()
        page.wait_for_timeout(100)
        at.drawn()
        assert 0 <= page.evaluate(HEADING) < 400, words


def test_whoever_wants_no_motion_gets_none(visit: Visit) -> None:
    at = visit(reduced_motion="reduce")
    page = at.open(root=BANK, id=BANK, valid=AT)
    first = page.evaluate("(id) => kgrisk.where(id)", BANK)
    page.wait_for_timeout(300)
    assert page.evaluate("(id) => kgrisk.where(id)", BANK) == first
