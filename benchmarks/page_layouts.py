"""Two more layouts of each kind of page in benchmarks/page_pictures.py, so that one layout can be held out.

They share with the first nothing but what a page of the kind is: other sizes, other places, other furniture.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.page_pictures import DRAWN, FIRMS, GOODS, STREETS, WORDS
from benchmarks.page_sheet import Picture, Sheet, finish

Draw = Callable[[Random], Picture]
BLACK: Final = (20, 20, 30)


def money(random: Random) -> str:
    return f"{random.randint(100, 9_999_99) / 100:,.2f}"


def lines(sheet: Sheet, x: float, y: float, count: int, words: int, size: int) -> float:
    """Sentences in lines of so many words; returns where they end."""
    text = " ".join(sheet.random.choice(WORDS) for _ in range(count)).split()
    for at in range(0, len(text), words):
        sheet.write(x, y, " ".join(text[at : at + words]), size)
        y += size * 1.5
    return y


def rule(sheet: Sheet, box: tuple[float, float, float, float], width: int = 2) -> None:
    sheet.pen.line(box, BLACK, width)


def receipt_two(random: Random) -> Picture:
    sheet, y = Sheet(random, 400, 1000), 230.0
    sheet.write(110, 30, random.choice(FIRMS).split()[0].upper(), 34)
    sheet.write(70, 80, random.choice(STREETS), 18)
    for _ in range(random.randint(5, 11)):
        sheet.write(20, y, f"{random.randint(1, 9)} x {random.choice(GOODS)}", 17)
        sheet.right(380, y, money(random)[-5:], 17)
        y += 26
    sheet.write(20, y, "-" * 40, 17)
    sheet.write(20, y + 34, "TO PAY", 28)
    sheet.right(380, y + 34, money(random), 28)
    sheet.write(60, y + 100, "Card ****" + str(random.randint(1000, 9999)), 17)
    return finish(sheet, "receipt", {})


def receipt_three(random: Random) -> Picture:
    sheet, y = Sheet(random, 620, 820), 140.0
    sheet.pen.rectangle((15, 15, 605, 805), outline=BLACK, width=2)
    sheet.right(590, 40, random.choice(FIRMS), 22)
    sheet.right(590, 72, f"Till {random.randint(1, 20)}", 18)
    for _ in range(random.randint(3, 7)):
        sheet.write(60, y, f"{random.choice(GOODS)}  {money(random)[-6:]}", 22)
        y += 44
    rule(sheet, (60, y, 400, y))
    sheet.write(60, y + 16, f"Sum  {money(random)}", 26)
    for at in range(60, 560, 6):
        rule(sheet, (at, 690, at, 770), random.randint(1, 4))
    return finish(sheet, "receipt", {})


def grid(sheet: Sheet, box: tuple[int, int, int, int], rows: int, columns: int, ruled: bool) -> None:
    """Cells of words and numbers, ruled or with a grey heading."""
    left, top, right, bottom = box
    high, wide = (bottom - top) / rows, (right - left) / columns
    if not ruled:
        sheet.pen.rectangle((left, top, right, top + high), (205, 210, 225))
    for row in range(rows):
        for column in range(columns):
            text = sheet.random.choice(GOODS) if column == 0 or row == 0 else money(sheet.random)
            sheet.write(left + column * wide + 6, top + row * high + 6, text[:11], 17)
    for row in range(rows + 1) if ruled else (0, 1, rows):
        rule(sheet, (left, top + row * high, right, top + row * high))
    for column in range(columns + 1) if ruled else ():
        rule(sheet, (left + column * wide, top, left + column * wide, bottom))


def invoice_two(random: Random) -> Picture:
    sheet = Sheet(random, 1000, 1400)
    shade = tuple(random.randint(40, 200) for _ in range(3))
    sheet.pen.rectangle((720, 50, 940, 150), shade)
    sheet.write(70, 60, "Invoice " + str(random.randint(100, 9999)), 40)
    sheet.write(70, 240, random.choice(FIRMS), 24)
    sheet.write(70, 276, random.choice(STREETS), 20)
    rows = random.randint(5, 9)
    grid(sheet, (70, 480, 930, 480 + 50 * rows), rows, 4, ruled=False)
    for step, name in enumerate(("Net", "Tax", "To pay")):
        sheet.write(640, 540 + 50 * rows + 40 * step, name, 22)
        sheet.right(930, 540 + 50 * rows + 40 * step, money(random), 22)
    lines(sheet, 70, 1240, 1, 12, 16)
    return finish(sheet, "invoice", {})


def invoice_three(random: Random) -> Picture:
    sheet = Sheet(random, 850, 1100)
    sheet.pen.rectangle((0, 0, 850, 70), (60, 70, 90))
    for left in (50, 450):
        sheet.pen.rectangle((left, 120, left + 350, 280), outline=BLACK, width=2)
        sheet.write(left + 14, 140, random.choice(FIRMS), 20)
        sheet.write(left + 14, 176, random.choice(STREETS), 17)
    sheet.write(50, 310, f"Invoice no. {random.randint(10_000, 99_999)}", 22)
    rows = random.randint(6, 10)
    grid(sheet, (50, 370, 800, 370 + 42 * rows), rows, 5, ruled=True)
    sheet.pen.rectangle((540, 420 + 42 * rows, 800, 480 + 42 * rows), outline=BLACK, width=4)
    sheet.write(552, 434 + 42 * rows, "Total " + money(random), 24)
    return finish(sheet, "invoice", {})


def cheque_two(random: Random) -> Picture:
    sheet = Sheet(random, 1100, 480)
    sheet.pen.rectangle((12, 12, 1088, 468), (232, 240, 246), BLACK, 3)
    sheet.write(50, 40, "Brentholm Bank plc", 30)
    for y in (150, 220, 290):
        rule(sheet, (50, y + 34, 760, y + 34))
    sheet.write(60, 150, random.choice(FIRMS), 24)
    sheet.write(60, 220, random.choice(WORDS)[:44], 22)
    sheet.pen.rectangle((800, 140, 1050, 200), (255, 255, 255), BLACK, 2)
    sheet.write(815, 152, money(random), 28)
    sheet.signature(780, 340)
    sheet.write(60, 410, f"|:{random.randint(10**8, 10**9)}|: {random.randint(10**9, 10**10)}", 26)
    return finish(sheet, "cheque", {})


def cheque_three(random: Random) -> Picture:
    sheet = Sheet(random, 900, 400)
    sheet.right(860, 30, random.choice(FIRMS), 24)
    sheet.write(40, 40, f"No {random.randint(100, 9999)}", 20)
    sheet.write(40, 120, "Pay " + random.choice(FIRMS), 24)
    sheet.write(40, 176, random.choice(WORDS)[:36] + " only", 20)
    sheet.write(600, 180, "= " + money(random) + " =", 28)
    sheet.signature(60, 290)
    rule(sheet, (50, 340, 320, 340))
    return finish(sheet, "cheque", {})


def plotted(random: Random, size: tuple[float, float], draw: Callable[[object, Random], None]) -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure, buffer = Figure(figsize=size, dpi=100), io.BytesIO()
    FigureCanvasAgg(figure)
    draw(figure.add_subplot(), random)
    figure.savefig(buffer, format="png")
    sheet = Sheet(random, 10, 10)
    sheet.image = Image.open(buffer).convert("RGB")
    return finish(sheet, "chart", {})


def chart_two(random: Random) -> Picture:
    def draw(axes: object, random: Random) -> None:
        axes.pie([random.randint(5, 40) for _ in range(random.randint(3, 7))], labels=None)  # type: ignore[attr-defined]
        axes.set_title(random.choice(FIRMS))  # type: ignore[attr-defined]

    return plotted(random, (6, 5), draw)


def chart_three(random: Random) -> Picture:
    def draw(axes: object, random: Random) -> None:
        count = random.randint(4, 9)
        axes.barh(range(count), [random.randint(5, 90) for _ in range(count)], color=f"C{random.randint(0, 6)}")  # type: ignore[attr-defined]
        axes.set_yticks(range(count), [random.choice(GOODS) for _ in range(count)])  # type: ignore[attr-defined]

    return plotted(random, (5, 7), draw)


def table_two(random: Random) -> Picture:
    sheet = Sheet(random, 1200, 800)
    sheet.write(60, 40, "Statement of " + random.choice(GOODS).lower(), 30)
    grid(sheet, (60, 140, 1140, 720), random.randint(9, 14), 6, ruled=False)
    return finish(sheet, "table", {})


def table_three(random: Random) -> Picture:
    sheet = Sheet(random, 700, 1000)
    for top in (80, 540):
        sheet.write(60, top - 50, random.choice(("Assets", "Liabilities", "Cash flows")), 26)
        grid(sheet, (60, top, 640, top + 380), random.randint(6, 9), 3, ruled=True)
    return finish(sheet, "table", {})


def letter_two(random: Random) -> Picture:
    sheet = Sheet(random, 900, 1250)
    sheet.right(830, 70, random.choice(STREETS), 20)
    sheet.right(830, 110, f"{random.randint(1, 28)} May 2021", 20)
    y = lines(sheet, 130, 300, 3, 8, 20)
    y = lines(sheet, 130, y + 40, 3, 8, 20)
    sheet.signature(560, y + 60)
    return finish(sheet, "letter", {})


def letter_three(random: Random) -> Picture:
    sheet = Sheet(random, 850, 1100)
    sheet.write(300, 50, random.choice(FIRMS), 24)
    rule(sheet, (60, 100, 790, 100))
    y = lines(sheet, 60, 150, random.randint(6, 9), 12, 17)
    sheet.signature(60, y + 60)
    sheet.signature(480, y + 60)
    return finish(sheet, "letter", {})


def photograph_two(random: Random) -> Picture:
    sheet = Sheet(random, 640, 640)
    sky, ground = (tuple(random.randint(60, 230) for _ in range(3)) for _ in range(2))
    sheet.pen.rectangle((0, 0, 640, 640), sky)
    sheet.pen.rectangle((0, random.randint(250, 450), 640, 640), ground)
    for _ in range(random.randint(2, 7)):
        points = [(random.randint(0, 640), random.randint(100, 600)) for _ in range(random.randint(3, 6))]
        sheet.pen.polygon(points, tuple(random.randint(0, 255) for _ in range(3)))
    return finish(sheet, "photograph", {})


def photograph_three(random: Random) -> Picture:
    sheet = Sheet(random, 800, 500)
    draw = np.random.default_rng(random.randint(0, 1 << 30))
    waves = np.cumsum(draw.normal(0, 3, (500, 800, 3)), axis=1) + np.cumsum(draw.normal(0, 3, (500, 800, 3)), axis=0)
    sheet.image.paste(Image.fromarray(np.clip(waves + draw.integers(60, 190, 3), 0, 255).astype(np.uint8)))
    sheet.pen = ImageDraw.Draw(sheet.image)
    return finish(sheet, "photograph", {})


SECOND: Final[tuple[Draw, ...]] = (
    receipt_two, invoice_two, cheque_two, chart_two, table_two, letter_two, photograph_two,
)  # fmt: skip
THIRD: Final[tuple[Draw, ...]] = (
    receipt_three, invoice_three, cheque_three, chart_three, table_three, letter_three, photograph_three,
)  # fmt: skip
LAYOUTS: Final = (DRAWN, SECOND, THIRD)


def laid_out(layout: int, seed: int, each: int) -> list[Picture]:
    """`each` pictures of every kind in one of the LAYOUTS, from a seed."""
    return [draw(Random(f"{seed} {n} {draw.__name__}")) for n in range(each) for draw in LAYOUTS[layout]]
