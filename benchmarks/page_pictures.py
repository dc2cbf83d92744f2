"""Page pictures drawn for measuring: receipts, invoices, cheques, charts, tables, letters and pictures without text.

Every picture is drawn from a number, so that the set is the same on every machine: names, sums, wording, typeface,
layout, noise, blur and a small turn are drawn from it. Each brings the truth: its kind, fields, and the rectangles of
tables, signatures and stamps. All names are made up.
"""

from __future__ import annotations

import calendar
import io
import math
from collections.abc import Callable
from random import Random
from typing import Final

import numpy as np
from PIL import Image

from benchmarks.page_sheet import Picture, Sheet, finish

FIRMS: Final = (
    "Corvina Timber AG", "Oakmere Turbines Ltd", "Brentholm Paper GmbH", "Larch Hill Foods plc", "Vexford Steel Inc",
    "Tarn Valley Optics BV", "Quillon Freight SA", "Pinegate Mills LLC", "Harrowfen Dairies Ltd", "Selwick Motors AG",
)  # fmt: skip
STREETS: Final = ("14 Quay Street, Harwich", "8 Mill Lane, York", "221 Dock Road, Hull", "5 Kiln Avenue, Ripon")
GOODS: Final = ("Oak planks", "Steel bolts", "Paper rolls", "Lens sets", "Pump seals", "Copper wire", "Glue", "Crates")
WORDS: Final = (
    "we write to tell you that the committee met again last week and discussed the matter at length",
    "the works will be closed for repair during the first days of the month and open again soon after",
    "our auditors asked for the papers which you kindly promised to send before the end of the quarter",
    "no further step is needed on your side unless the terms should change in the meantime",
    "the undersigned bank confirms the facility described below and the terms agreed with the borrower",
)


def _sum(random: Random) -> float:
    return random.randint(500, 999_999) / 100


def _money(value: float) -> str:
    return f"{value:,.2f}"


def _day(random: Random) -> tuple[str, str]:
    """A day as printed, and as ISO."""
    year, month, day = random.randint(2015, 2024), random.randint(1, 12), random.randint(1, 28)
    names = calendar.month_name
    forms = (
        f"{year}-{month:02d}-{day:02d}",
        f"{day:02d}/{month:02d}/{year}",
        f"{day} {names[month]} {year}",
        f"{day:02d}.{month:02d}.{year}",
    )
    return random.choice(forms), f"{year}-{month:02d}-{day:02d}"


def receipt(random: Random) -> Picture:
    sheet = Sheet(random, 520, 900)
    name = random.choice(FIRMS)
    sheet.write(40, 30, name.upper() if random.random() < 0.5 else name, 26)
    sheet.write(40, 66, random.choice(STREETS), 20)
    sheet.write(40, 92, f"Tel: 01{random.randint(100, 999)} {random.randint(100000, 999999)}", 20)
    printed, iso = _day(random)
    sheet.write(40, 130, f"{printed}  {random.randint(8, 21)}:{random.randint(10, 59)}", 20)
    y, total = 170, 0.0
    for goods in random.sample(GOODS, random.randint(2, 6)):
        price = round(random.randint(100, 5000) / 100, 2)
        total += price
        sheet.write(40, y, goods, 20)
        sheet.right(480, y, _money(price), 20)
        y += 32
    given = math.ceil(total / 10) * 10 + 10
    for label, value in (
        (random.choice(("TOTAL", "Total:", "Total due")), total),
        (random.choice(("Cash", "CASH TENDERED", "Paid cash")), given),
        (random.choice(("Change", "CHANGE DUE")), given - total),
    ):
        y += 34
        sheet.write(40, y, label, 22)
        sheet.right(480, y, _money(value), 22)
    sheet.write(90, y + 60, random.choice(("Thank you!", "THANK YOU, COME AGAIN", "Served by Ann. Thank you")), 20)
    return finish(sheet, "receipt", {"company": name, "total": f"{total:.2f}", "date": iso})


def invoice(random: Random) -> Picture:
    sheet = Sheet(random, 900, 1150)
    supplier, customer = random.sample(FIRMS, 2)
    printed, iso = _day(random)
    number, currency = f"INV-{random.randint(1000, 99999)}", random.choice(("EUR", "USD", "GBP"))
    sheet.write(60, 50, supplier, 30)
    sheet.write(60, 92, random.choice(STREETS), 20)
    sheet.right(840, 50, random.choice(("INVOICE", "Invoice", "SALES INVOICE")), 34)
    sheet.write(540, 150, random.choice(("Invoice No:", "Invoice number:", "Invoice #:")) + f" {number}", 21)
    sheet.write(540, 184, f"Date: {printed}", 21)
    if random.random() < 0.5:
        sheet.write(60, 160, f"Bill to: {customer}", 22)
    else:
        sheet.write(60, 150, random.choice(("Bill to", "Billed to", "Customer")), 20)
        sheet.write(60, 184, customer, 22)
    sheet.write(60, 216, random.choice(STREETS), 20)
    net, y = _items(sheet, 280)
    tax = round(net * 0.2, 2)
    label = random.choice(("Total due", "Amount due", "Balance due", "Invoice total"))
    for name, value in (("Subtotal", net), ("VAT 20 %", tax), (label, net + tax)):
        sheet.write(520, y, name, 22)
        sheet.right(840, y, (f"{currency} " if name == label else "") + _money(value), 22)
        y += 36
    sheet.write(60, y + 30, "Payment terms: 30 days. IBAN GB00 TEST 0000 0000 0000 00", 19)
    if random.random() < 0.6:
        sheet.stamp(100, y + 80)
    if random.random() < 0.5:
        sheet.signature(520, y + 140)
    told = {"supplier": supplier, "customer": customer, "number": number, "date": iso, "amount": f"{net + tax:.2f}"}
    return finish(sheet, "invoice", told)


def _items(sheet: Sheet, top: int) -> tuple[float, int]:
    """A ruled table of goods; returns their sum and where it ends."""
    random, net = sheet.random, 0.0
    goods = random.sample(GOODS, random.randint(3, 6))
    columns, high = (60, 420, 540, 690, 840), 40
    for n, heading in enumerate(("Description", "Qty", "Unit price", "Amount")):
        sheet.write(columns[n] + 8, top + 8, heading, 20)
    for row, name in enumerate(goods, 1):
        quantity, price = random.randint(1, 40), random.randint(100, 9000) / 100
        net += round(quantity * price, 2)
        for n, text in enumerate((name, str(quantity), _money(price), _money(quantity * price))):
            sheet.write(columns[n] + 8, top + row * high + 8, text, 20)
    end = top + high * (len(goods) + 1)
    for n in range(len(goods) + 2):
        sheet.pen.line((columns[0], top + n * high, columns[-1], top + n * high), (0, 0, 0), 2)
    for x in columns:
        sheet.pen.line((x, top, x, end), (0, 0, 0), 2)
    sheet.shapes["table"] = (columns[0], top, columns[-1], end)
    return round(net, 2), end + 30


_SPELT: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spelt(n: int) -> str:
    """A whole number below a million in words."""
    if n >= 1000:
        return spelt(n // 1000) + " thousand" + (f" {spelt(n % 1000)}" if n % 1000 else "")
    if n >= 100:
        return f"{_SPELT[n // 100]} hundred" + (f" and {spelt(n % 100)}" if n % 100 else "")
    if n < 20:
        return _SPELT[n]
    return _TENS[n // 10 - 2] + (f"-{_SPELT[n % 10]}" if n % 10 else "")


def cheque(random: Random) -> Picture:
    sheet = Sheet(random, 1000, 430)
    drawer, payee = random.sample(FIRMS, 2)
    printed, iso = _day(random)
    value = random.randint(20, 99_999) + random.randint(0, 99) / 100
    sign = random.choice(("$", "£", "EUR "))
    sheet.write(40, 30, drawer, 24)
    sheet.right(960, 30, f"Cheque No {random.randint(100000, 999999)}", 20)
    sheet.right(960, 70, f"Date: {printed}", 20)
    label = random.choice(("Pay to the order of", "PAY", "Pay against this cheque to"))
    sheet.write(40, 130, f"{label} {payee}", 23)
    sheet.right(960, 130, f"{sign}{_money(value)}", 24)
    whole, cents = int(value), round(value * 100) % 100
    sheet.write(40, 200, f"{spelt(whole).capitalize()} and {cents:02d}/100 " + random.choice(("only", "dollars")), 22)
    sheet.write(40, 270, "Brentholm Bank plc, 2 Market Place, Leeds", 19)
    sheet.write(40, 320, random.choice(("Memo: goods", "Account payee", "Not negotiable")), 19)
    sheet.signature(650, 320)
    told = {"drawer": drawer, "payee": payee, "date": iso, "amount": f"{value:.2f}"}
    return finish(sheet, "cheque", told)


def chart(random: Random) -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(random.uniform(6, 9), random.uniform(4, 6)), dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    years = [str(2015 + n) for n in range(random.randint(4, 7))]
    names = random.sample(("Revenue", "Net income", "Deposits", "Loans", "Orders"), 2)
    title = f"{names[0]} of {random.choice(FIRMS)}"
    printed = {}
    if random.random() < 0.5:
        values = [random.randint(10, 99) for _ in years]
        bars = axes.bar(years, values, label=names[0])
        axes.bar_label(bars)
        printed = {f"value {year}": str(value) for year, value in zip(years, values, strict=True)}
    else:
        for name in names:
            axes.plot(years, [random.uniform(5, 90) for _ in years], marker="o", label=name)
        axes.legend()
        printed = {f"legend|{name}": name for name in names}
    axes.set_title(title)
    axes.set_xlabel("Financial year")
    axes.set_ylabel("EUR million")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    sheet = Sheet(random, 10, 10)
    sheet.image = Image.open(buffer).convert("RGB")
    return finish(sheet, "chart", {"title": title, "x label": "Financial year", "y label": "EUR million"} | printed)


def table(random: Random) -> Picture:
    sheet = Sheet(random, 900, 700)
    sheet.write(60, 40, random.choice(("Balance sheet summary", "Segment figures", "Five-year overview")), 28)
    years, ruled = [str(2019 + n) for n in range(4)], random.random() < 0.5
    for n, heading in enumerate(("EUR thousand", *years)):
        sheet.right(330 + 130 * n, 120, heading, 21) if n else sheet.write(60, 120, heading, 21)
    rows = random.sample(("Revenue", "Cost of sales", "Net income", "Total assets", "Equity", "Net debt", "Staff"), 6)
    told = {}
    for i, name in enumerate(rows, 1):
        sheet.write(60, 120 + 50 * i, name, 21)
        for n, year in enumerate(years, 1):
            value = f"{random.randint(100, 99999):,}"
            told[f"{name}|{year}"] = value
            sheet.right(330 + 130 * n, 120 + 50 * i, value, 21)
    if ruled:
        for i in range(len(rows) + 2):
            sheet.pen.line((50, 110 + 50 * i, 860, 110 + 50 * i), (0, 0, 0), 2)
        for x in (50, 345, 475, 605, 735, 860):
            sheet.pen.line((x, 110, x, 110 + 50 * (len(rows) + 1)), (0, 0, 0), 2)
        sheet.shapes["table"] = (50, 110, 860, 110 + 50 * (len(rows) + 1))
    return finish(sheet, "table", told)


def letter(random: Random) -> Picture:
    sheet = Sheet(random, 1000, 1200)
    sheet.write(70, 60, random.choice(FIRMS), 26)
    sheet.write(70, 100, random.choice(STREETS), 20)
    sheet.write(70, 160, _day(random)[0], 21)
    sheet.write(70, 220, random.choice(("Dear Sir or Madam,", "Dear Ms Hale,", "To our shareholders")), 22)
    y = 280
    for sentence in random.sample(WORDS, 4):
        words = sentence.capitalize().split()
        for n in range(0, len(words), 9):
            sheet.write(70, y, " ".join(words[n : n + 9]) + ("." if n + 9 >= len(words) else ""), 22)
            y += 34
        y += 18
    sheet.write(70, y + 20, random.choice(("Yours faithfully,", "Sincerely,", "With kind regards,")), 22)
    sheet.signature(90, y + 90)
    if random.random() < 0.4:
        sheet.stamp(620, y + 30)
    return finish(sheet, "letter", {})


def photograph(random: Random) -> Picture:
    sheet = Sheet(random, 700, 520)
    noise = np.random.default_rng(random.randint(0, 1 << 30))
    rough = Image.fromarray(noise.integers(30, 226, (9, 12, 3), np.uint8)).resize((700, 520), Image.Resampling.BICUBIC)
    sheet.image.paste(rough)
    for _ in range(random.randint(2, 6)):
        x, y, wide = random.randint(0, 600), random.randint(0, 420), random.randint(30, 200)
        sheet.pen.ellipse((x, y, x + wide, y + wide), tuple(random.randint(0, 255) for _ in range(3)))
    if random.random() < 0.5:
        sheet.write(
            random.randint(30, 400), random.randint(30, 460), random.choice(("HARWICH", "No entry", "Dock 4")), 30
        )
    return finish(sheet, "photograph", {})


DRAWN: Final[tuple[Callable[[Random], Picture], ...]] = (receipt, invoice, cheque, chart, table, letter, photograph)


def pictures(seed: int, each: int) -> list[Picture]:
    """`each` pictures of every kind, from a seed."""
    return [draw(Random(f"{seed} {n} {draw.__name__}")) for n in range(each) for draw in DRAWN]
