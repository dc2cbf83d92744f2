"""Page images: loan notices, invoices and a bank statement, drawn with mild noise; some bear an overdue stamp."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from kgrisk.sample.network import Link, World
from kgrisk.sample.registers import Bad, as_csv
from kgrisk.sample.wording import MARK
from kgrisk.sample.world import Firm, stream

SIZE = (620, 800)
INK, PAPER, RED = (24, 24, 32), (250, 249, 245), (186, 22, 30)
STAMPS = ("OVERDUE", "PAST DUE", "2nd REMINDER")


@dataclass
class Page:
    """One page image and what it says."""

    file: str
    published: date
    subject: Firm
    heading: str
    lines: list[str]
    stamp: str
    truth: dict[str, Any]


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which every matplotlib wheel carries."""
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("matplotlib is not installed; its wheel holds the font of the sample pages")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / name
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def plan(world: World) -> list[Page]:
    """Which pages there are, in the order of publication."""
    rng, firms, pages = stream("pages"), world.firms, []
    for k in (k for k in world.links if k.carrier == "page"):
        firm = firms[k.target]
        pages.append(_loan(k, firms[k.source], firm, STAMPS[k.source % 3] if firm.stamp[k.start.year] else "", rng))
    sales = [
        k for k in world.links if k.type == "SUPPLIES" and k.start.year in (2021, 2022) and k.carrier == "register"
    ]
    pages += [_invoice(k, firms[k.source], firms[k.target], rng) for k in rng.sample(sales, 4)]
    pages.sort(key=lambda p: (p.published, p.subject.n))
    for n, page in enumerate(pages):
        page.file = f"page-{n + 1:02d}.png"
    return pages


def _loan(k: Link, bank: Firm, firm: Firm, stamp: str, rng: Random) -> Page:
    amount = f"{k.amount:,.2f}"
    due = k.start + timedelta(days=365 * rng.choice([3, 5]))
    heading = rng.choice(["LOAN NOTICE", "FACILITY CONFIRMATION", "DRAWDOWN NOTICE"])
    lines = [
        f"Lender: {bank.name}",
        f"Borrower: {firm.name}",
        f"Facility: {k.key}",
        f"Amount: EUR {amount}",
        f"Date: {k.start}",
        f"Maturity: {due}",
        f"Interest: {rng.uniform(2, 7):.2f} percent",
    ]
    if rng.random() < 0.4:
        lines[2], lines[4] = lines[4], lines[2]
    truth = {
        "type": "LENDS_TO",
        "source_id": bank.id,
        "target_id": firm.id,
        "source": bank.name,
        "target": firm.name,
        "amount": f"{k.amount:.2f}",
        "currency": "EUR",
        "date": str(k.start),
    }
    return Page("", k.published, firm, heading, lines, stamp, truth)


def _invoice(k: Link, supplier: Firm, customer: Firm, rng: Random) -> Page:
    amount = round(k.amount * 0.05, 2)
    day = k.start + timedelta(days=30 + rng.randrange(60))
    lines = [
        f"Supplier: {supplier.name}",
        f"Customer: {customer.name}",
        f"Invoice no: {rng.randrange(10_000, 99_999)}",
        f"Amount: EUR {amount:,.2f}",
        f"Date: {day}",
        "Terms: 30 days net",
    ]
    truth = {
        "type": "SUPPLIES",
        "source_id": supplier.id,
        "target_id": customer.id,
        "source": supplier.name,
        "target": customer.name,
        "amount": f"{amount:.2f}",
        "currency": "EUR",
        "date": str(day),
    }
    return Page("", day + timedelta(days=3), customer, "INVOICE", lines, "", truth)


def draw(page: Page, rng: Random) -> Image.Image:
    """The page as a picture in 32 colours."""
    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    left, top = 48 + rng.randrange(12), 52 + rng.randrange(16)
    pen.text((left, top), page.heading, font=font(26, True), fill=INK)
    pen.line((left, top + 44, SIZE[0] - left, top + 44), fill=INK, width=2)
    for row, line in enumerate(page.lines):
        pen.text((left, top + 74 + row * 38), line, font=font(17), fill=INK)
    low = top + 74 + len(page.lines) * 38 + 20
    pen.rectangle((left, low, SIZE[0] - left, low + 70), outline=INK, width=1)
    pen.text((left + 10, low + 12), "Signed for the parties", font=font(15), fill=INK)
    pen.text((left, SIZE[1] - 44), MARK, font=font(13), fill=(90, 90, 96))
    if page.stamp:
        _stamp(image, page.stamp, rng)
    _speckle(pen, rng)
    return image.quantize(32, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _stamp(image: Image.Image, text: str, rng: Random) -> None:
    """A red frame with the word, set askew in the free lower part, and a red edge along the sheet."""
    mask = Image.new("L", (420, 130), 0)
    pen = ImageDraw.Draw(mask)
    pen.rectangle((4, 4, 415, 125), outline=255, width=7)
    pen.text((210, 65), text, font=font(46, True), fill=255, anchor="mm")
    turned = mask.rotate(rng.choice([7, 10, -8]), Image.Resampling.NEAREST, expand=True)
    image.paste(RED, (90 + rng.randrange(30), 545), turned)
    ImageDraw.Draw(image).rectangle((0, 0, SIZE[0] - 1, SIZE[1] - 1), outline=RED, width=6)


def _speckle(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """Dust and a few faint scanner lines."""
    for _ in range(700):
        x, y = rng.randrange(SIZE[0]), rng.randrange(SIZE[1])
        pen.point((x, y), fill=(rng.randrange(120, 225),) * 3)
    for _ in range(2):
        x = rng.randrange(SIZE[0])
        pen.line((x, 0, x, SIZE[1]), fill=(232, 231, 228), width=1)


def print_pages(world: World, bad: Bad) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """The images and their table by path, and what each page says. One image is cut short."""
    rng, files, rows, truth = stream("drawing"), {}, [], []
    for page in plan(world):
        out = io.BytesIO()
        draw(page, rng).save(out, "PNG", optimize=True)
        files[f"images/{page.file}"] = out.getvalue()
        rows.append([page.file, page.file.removesuffix(".png"), 1, f"{page.published}T09:00:00Z", page.subject.id])
        truth.append(
            {
                "file": f"images/{page.file}",
                "subject_id": page.subject.id,
                "published": str(page.published),
                "heading": page.heading,
                "stamp": page.stamp,
                "lines": page.lines,
                **page.truth,
            }
        )
    whole = files["images/page-01.png"]
    files["images/torn.png"] = whole[: len(whole) // 3]
    rows.append(["torn.png", "torn", 1, "2022-02-02T09:00:00Z", rows[0][4]])
    bad.append({"file": "images/torn.png", "where": "whole file", "what": "PNG cut off"})
    files["images/pages.csv"] = as_csv(["file", "document", "page", "published", "subject_id"], rows)
    return files, truth
