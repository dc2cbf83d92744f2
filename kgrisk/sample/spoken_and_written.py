"""The second delivery in words: calls, a video, a contract and an invoice as PDF, Chinese news, a feed and posts.

The recordings are made once with a speech synthesiser and lie in recordings/; their makers and what they say are below.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

from kgrisk.sample.network import World
from kgrisk.sample.pages import INK, PAPER, font
from kgrisk.sample.wording import MARK
from kgrisk.sample.world import HERE, Firm

RECORDINGS = HERE / "recordings"
COLDWICK, YARRLEIGH, GORDALE, KESTMONT = 37, 143, 44, 107
RADHURST, MARLBOURNE, WEXSHAW, BRIMWICK = 208, 6, 19, 22
"""Numbers of the firms that speak and are spoken of."""
CHINESE = {COLDWICK: "科德威克零售", YARRLEIGH: "雅利钢铁", RADHURST: "拉德赫斯特能源", MARLBOURNE: "马尔本信托银行"}
"""Chinese names that the LEI register gives these firms."""
_SPOKEN = (
    ("calls/coldwick-2023-02-14.ogg", COLDWICK, "2023-02-14T15:00:00Z", "Annual results call"),
    ("calls/yarrleigh-2023-03-02.ogg", YARRLEIGH, "2023-03-02T09:00:00Z", "Annual results call"),
    ("calls/gordale-2023-05-11.ogg", GORDALE, "2023-05-11T14:00:00Z", "Quarterly call"),
    ("calls/kestmont-2023-06-20.mp4", KESTMONT, "2023-06-20T10:00:00Z", "Presentation of the half-year"),
)
_LOANS_SPOKEN = ((MARLBOURNE, COLDWICK, 30), (WEXSHAW, YARRLEIGH, 12), (MARLBOURNE, GORDALE, 30))
Planted = list[dict[str, Any]]


def planted(file: str, source: Firm, relation: str, target: Firm, amount: int = 0) -> dict[str, Any]:
    """One statement of a file, as the truth lists it; the amount in millions of EUR."""
    return {
        "file": file,
        "source": source.id,
        "relation": relation,
        "target": target.id,
        **({"amount": amount * 1_000_000, "currency": "EUR"} if amount else {}),
    }


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def recordings(world: World) -> tuple[dict[str, bytes], Planted]:
    """Three calls and a video with their sidecars."""
    files: dict[str, bytes] = {}
    for path, speaker, published, title in _SPOKEN:
        name = path.rpartition("/")[2]
        said = {"published": published, "title": f"{title} ({MARK})", "subject_id": world.firms[speaker].id}
        files[path] = (RECORDINGS / name).read_bytes()
        files[f"{path}.meta.json"] = as_json(said)
    firms = world.firms
    told = [
        planted(path, firms[bank], "LENDS_TO", firms[firm], millions)
        for (path, *_), (bank, firm, millions) in zip(_SPOKEN, _LOANS_SPOKEN, strict=False)
    ]
    video = _SPOKEN[-1][0]
    return files, [
        *told,
        planted(_SPOKEN[2][0], firms[GORDALE], "SUPPLIES", firms[RADHURST]),
        planted(video, firms[BRIMWICK], "LENDS_TO", firms[KESTMONT], 8),
    ]


def chinese_news(world: World) -> tuple[dict[str, bytes], Planted]:
    """Articles in Chinese on firms that the register also knows by a Chinese name."""
    steel, retail, energy, bank = (CHINESE[n] for n in (YARRLEIGH, COLDWICK, RADHURST, MARLBOURNE))
    said = (
        (f"{bank}向{steel}贷款", f"{bank}周二表示，2023年4月向{steel}提供2亿欧元贷款。", "2023-04-11T06:00:00Z"),
        (f"{energy}入股{retail}", f"截至2023年6月，{energy}持有{retail}30%的股份。", "2023-06-06T06:00:00Z"),
        (f"{steel}债券违约", f"{steel}未能按期支付利息，其债券于2023年9月5日违约。", "2023-09-06T06:00:00Z"),
    )
    lines = [
        json.dumps({"title": title, "body": f"{body}\n以上公司均为虚构。", "published": when}, ensure_ascii=False)
        for title, body, when in said
    ]
    file, firms = "news/chinese-2023.jsonl", world.firms
    told = [
        planted(file, firms[MARLBOURNE], "LENDS_TO", firms[YARRLEIGH], 200),
        planted(file, firms[RADHURST], "OWNS", firms[COLDWICK]),
    ]
    return {file: "\n".join([*lines, ""]).encode()}, told


def feed_and_posts(world: World) -> tuple[dict[str, bytes], Planted]:
    """An RSS feed, and a post that others repeat."""
    firms = world.firms
    retail, logistics = firms[COLDWICK], firms[KESTMONT]
    item = (
        f"<item><title>{retail.short} sues {logistics.short}</title><link>https://wire.example/81</link>"
        f"<description>{retail.name} sued {logistics.name} over EUR 3 million on 3 July 2023. ({MARK})</description>"
        "<pubDate>Tue, 04 Jul 2023 08:00:00 GMT</pubDate></item>"
    )
    channel = f"<channel><title>Wire</title>{item}</channel>"
    feed = f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0">{channel}</rss>\n'
    first = {
        "id": "p1",
        "text": f"{firms[YARRLEIGH].name} defaulted on its bonds, the trustee says. ({MARK})",
        "author": "bondwatch",
        "followers": 5200,
        "created_at": "2023-09-05T16:30:00Z",
    }
    repeats = [
        first
        | {"id": f"p{n}", "author": f"reader{n}", "followers": 10 * n, "repost_of": "p1"}
        | {"created_at": f"2023-09-05T{16 + n}:00:00Z"}
        for n in (2, 3, 4)
    ]
    posts = "\n".join([*(json.dumps(post, ensure_ascii=False) for post in (first, *repeats)), ""])
    return {"news/wire.rss": feed.encode(), "news/posts.jsonl": posts.encode()}, []


def documents(world: World) -> tuple[dict[str, bytes], Planted]:
    """A contract with text, and an invoice that is only a picture, both PDF."""
    firms = world.firms
    lender, borrower = firms[WEXSHAW], firms[KESTMONT]
    contract = (
        "LOAN AGREEMENT",
        f'This agreement is made between {lender.name} ("the Lender")',
        f'and {borrower.name} ("the Borrower").',
        "The Borrower shall pay to the Lender EUR 4 million on or before 30 June 2026.",
        MARK,
    )
    supplier, customer = firms[YARRLEIGH], firms[COLDWICK]
    invoice = (
        "INVOICE",
        f"Supplier: {supplier.name}",
        f"Customer: {customer.name}",
        "Invoice no: 2023-118",
        "Date: 2023-07-31",
        "Amount: EUR 96,500.00",
    )
    files = {
        "pdf/loan-agreement-2023-06-30.pdf": text_pdf(contract),
        "pdf/invoice-2023-07-31.pdf": picture_pdf(invoice),
    }
    contract_file, invoice_file = files
    return files, [
        planted(contract_file, borrower, "OBLIGED_TO", lender, 4),
        planted(invoice_file, supplier, "SUPPLIES", customer),
    ]


def text_pdf(lines: Sequence[str]) -> bytes:
    """One page of text in Helvetica."""
    shown = " ".join(f"({line.replace('(', chr(92) + '(').replace(')', chr(92) + ')')}) Tj 0 -18 Td" for line in lines)
    text = f"BT /F1 11 Tf 60 780 Td {shown} ET".encode("latin-1")
    resources = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    return _pdf(resources, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text), b"<< >>")


def picture_pdf(lines: Sequence[str]) -> bytes:
    """One page that shows a picture of text, as a scanner makes it."""
    page = Image.new("RGB", (900, 520), PAPER)
    draw = ImageDraw.Draw(page)
    for n, line in enumerate(lines):
        draw.text((50, 40 + 70 * n), line, fill=INK, font=font(30, bold=not n))
    picture = io.BytesIO()
    page.save(picture, "JPEG", quality=85)
    data = picture.getvalue()
    shown = b"q 540 0 0 312 27 500 cm /I1 Do Q"
    head = (
        "<< /Type /XObject /Subtype /Image /Width 900 /Height 520 /ColorSpace /DeviceRGB /BitsPerComponent 8 "
        f"/Filter /DCTDecode /Length {len(data)} >>"
    )
    content = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown)
    return _pdf("<< /XObject << /I1 5 0 R >> >>", content, head.encode() + b"\nstream\n" + data + b"\nendstream")


def _pdf(resources: str, content: bytes, last: bytes) -> bytes:
    """A PDF of one page, its objects written one after the other (ISO 32000-1, 7.5)."""
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources {resources} >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page.encode(),
        content,
        last,
    )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    tail = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
    tail += f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + tail.encode()


def words(world: World) -> tuple[Mapping[str, bytes], Planted]:
    """Every file of this kind, and what they state."""
    files: dict[str, bytes] = {}
    told: Planted = []
    for kind in (recordings, chinese_news, feed_and_posts, documents):
        made, said = kind(world)
        files |= made
        told += said
    return files, told
