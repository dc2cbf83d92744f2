"""Filings: CPU seconds, facts and memory of large reports, items found, and table cells beside TAT-QA's answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, peak_mib, real_data
from ingest.extract.filings import dossier
from ingest.extract.filings.document import tagged_facts
from ingest.extract.filings.grid import of_lists, of_page
from ingest.extract.filings.grid_figures import Figure as CellFigure
from ingest.extract.filings.grid_figures import figures, words
from ingest.extract.filings.sections import sections
from ingest.extract.formats.markup import page_text, parse
from ingest.locate import text_of
from ingest.source import Models, Record
from ingest.sources.filings import Filings

ANNUAL = ("aapl/10k/aapl-10-k-2024-11-01", "amzn/10k/amzn-10-k-2025-02-07")
WHOLE = (*ANNUAL, "ibm/10k/ibm-10-k-2025-02-25", "wfc/10k/wfc-10-k-2025-02-25")
ITEMS = 23
"""Items that a 10-K for a year from 2023 on has: 1, 1A, 1B, 1C, 2 to 7, 7A, 8, 9, 9A, 9B, 9C and 10 to 16."""
_FACT = (
    '<tr><td>Line {n} of the mill, in a row as long as they are</td><td><ix:nonFraction name="oak:Line{n}"'
    ' contextRef="c{c}"'
    ' unitRef="usd" decimals="-3" scale="3" format="ixt:num-dot-decimal">{value:,}</ix:nonFraction></td></tr>'
)
_CONTEXT = (
    '<xbrli:context id="c{c}"><xbrli:entity><xbrli:identifier scheme="http://www.sec.gov/CIK">0000990011'
    "</xbrli:identifier></xbrli:entity><xbrli:period><xbrli:startDate>{year}-01-01</xbrli:startDate><xbrli:endDate>{year}-12-31</xbrli:endDate>"
    "</xbrli:period></xbrli:context>"
)


def measure() -> list[Figure]:
    """Figures of the real reports and one made report of 2,500 facts."""
    folder = real_data()
    reports = folder / "sec-filings" / "files" / "tests" / "fixtures" / "html"
    return [*_made(), *_reports(reports), *items(reports), *cells(folder / "tatqa" / "tatqa_dataset_dev.json")]


def made_report(facts: int = 2500) -> bytes:
    """A tagged report with that many facts and about the markup around each that real ones have."""
    contexts = "".join(_CONTEXT.format(c=c, year=2000 + c) for c in range(25))
    rows = "".join(_FACT.format(n=n, c=n % 25, value=1000 + n) + "<tr><td>&#160;</td></tr>" * 4 for n in range(facts))
    return (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"'
        ' xmlns:xbrli="http://www.xbrl.org/2003/instance"><body><div style="display:none"><ix:header><ix:resources>'
        f'{contexts}<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit></ix:resources>'
        f"</ix:header></div><p>FORM 10-K</p><table>{rows}</table><p>Dated: March 1, 2025</p></body></html>"
    ).encode()


def _made() -> Iterator[Figure]:
    content = made_report()
    seconds, claims = _read(content, Path("made-2025-03-01.html"))
    yield Figure("made 10-K of 2,500 facts to claims", seconds, 2.0, False, "s CPU", f"{claims} claims")


def _reports(folder: Path) -> Iterator[Figure]:
    _read(made_report(10), Path("warm-2025-03-01.html"))  # the language model is loaded before the clock runs
    for name in ANNUAL:
        content = (folder / f"{name}.html").read_bytes()
        _forget()
        seconds, claims, facts = _facts_only(content)
        what = name.rpartition("/")[2]
        yield Figure(
            f"{what} facts, items and cover to claims", seconds, 2.0, False, "s CPU", f"{facts} facts, {claims} claims"
        )
        _forget()
        seconds, claims = _read(content, folder / f"{name}.html")
        yield Figure(f"{what} with 200,000 characters of prose read", seconds, None, False, "s CPU", f"{claims} claims")
    peak = peak_mib()
    yield Figure("peak memory of this process", peak, 1024, False, "MiB")


def _forget() -> None:
    for cached in (parse, page_text, text_of, tagged_facts, of_page):
        cached.cache_clear()


def _read(content: bytes, path: Path) -> tuple[float, int]:
    source, record = Filings(path.parent, []), Record("filings", path.name, content)
    began = time.process_time()
    found = source.claims(record, Models())
    return time.process_time() - began, len(found.claims)


def _facts_only(content: bytes) -> tuple[float, int, int]:
    """The report without its prose: the sentences of the page are cut out of what the language model is given."""
    length = dossier.PROSE_LENGTH
    dossier.PROSE_LENGTH = 0
    try:
        seconds, claims = _read(content, Path("report-2025-03-01.html"))
    finally:
        dossier.PROSE_LENGTH = length
    return seconds, claims, len(tagged_facts(content).facts)


def items(folder: Path) -> Iterator[Figure]:
    found = wanted = 0
    for name in WHOLE:
        content = (folder / f"{name}.html").read_bytes()
        found += len(sections(text_of(content), "10-K"))
        wanted += ITEMS
    yield Figure("items found in four 10-Ks", found / wanted, 0.95, unit="share", note=f"{found} of {wanted}")


def cells(file: Path) -> Iterator[Figure]:
    """Answers of TAT-QA that are cells: how many were read, and how many figures have the scale annotated."""
    answers = read = figured = scaled = 0
    for context in json.loads(file.read_bytes()):
        rows = context["table"]["table"]
        grid = of_lists(rows, "\n".join(p["text"] for p in context["paragraphs"]))
        numbers = {figure.text: figure for figure in figures(grid)}
        said = {text for _, _, _, text in words(grid)}
        cells = {" ".join(cell.split()) for row in rows for cell in row} - {""}
        for question in context["questions"]:
            for answer in _spans(question):
                if answer not in cells:
                    continue
                answers += 1
                read += answer in numbers or answer in said
                if (figure := numbers.get(answer)) is not None:
                    figured += 1
                    scaled += _scale(figure) == question["scale"] or (figure.percent and "%" in answer)
    yield Figure(
        "TAT-QA span answers in tables among the cells read",
        read / answers,
        0.97,
        unit="share",
        note=f"{read} of {answers}",
    )
    yield Figure(
        "scale of those that are figures right", scaled / figured, 0.85, unit="share", note=f"{scaled} of {figured}"
    )


def _spans(question: dict[str, Any]) -> list[str]:
    if question["answer_type"] not in ("span", "multi-span") or question["answer_from"] == "text":
        return []
    given = question["answer"] if isinstance(question["answer"], list) else [question["answer"]]
    return [" ".join(str(one).split()) for one in given]


def _scale(figure: CellFigure) -> str:
    return "percent" if figure.percent else str(figure.scale)
