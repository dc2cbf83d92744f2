"""A caption: one sentence that says what a page shows, made only of what was found on it and of fixed connectives.

`Invoice INV-77 of Corvina Timber AG to Oakmere Turbines Ltd, 3 May 2024, EUR 12,400.00; a table of 5 rows, a signature
and a stamp`. Every part stands in boxes or shapes of the page, so that each can be traced; values are told as printed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.extract.pages.fields import Field
from ingest.extract.pages.kind import KINDS
from ingest.extract.pages.ocr import Box, join, lines
from ingest.extract.pages.per_kind import Reading
from ingest.extract.pages.shape import Shape

_TOLD: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "receipt": ((" of ", "company"), (", ", "date"), (", total ", "total")),
    "invoice": ((" ", "number"), (" of ", "supplier"), (" to ", "customer"), (", ", "date"), (", ", "amount")),
    "cheque": ((" ", "number"), (" of ", "drawer"), (" to ", "payee"), (", ", "date"), (", ", "amount")),
    "chart": ((" ", "title"), (", axis ", "y label"), (" over ", "x label"), (", ", "date")),
}
"""Connective and field, in the order told; other kinds tell the parties that they label, the sum and the day."""
_OTHERS: Final = (
    (", lender ", "lender"), (", borrower ", "borrower"), (", payer ", "payer"), (", payee ", "payee"),
    (", supplier ", "supplier"), (", customer ", "customer"), (", ", "amount"), (", ", "date"),
)  # fmt: skip
_QUOTED: Final = ("title", "x label", "y label")
NOUNS: Final = ("table", "signature", "stamp", "bar")
_WORDS: Final = (
    "of to total with and a the words axis over in figures row column rows columns bars signatures stamps "
    "lender borrower payer payee supplier customer"
)
CONNECTIVES: Final = frozenset((*_WORDS.split(), *NOUNS, *KINDS))
"""Every word, in small letters, that a caption may hold without its standing on the page; numbers are counts."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a caption, and the boxes or shapes that it was found in."""

    name: str
    text: str
    boxes: tuple[Box, ...] = ()
    shapes: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence about a page and its parts."""

    text: str
    parts: tuple[Part, ...]


def caption(reading: Reading, boxes: Sequence[Box], shapes: Sequence[Shape]) -> Caption:
    """The caption of a page as it was read."""
    kind = Part("kind", _kind(reading, shapes), tuple(boxes))
    text, parts = kind.text, [kind]
    for before, part in [*_fields(reading), *_figures(reading), *_photographed(reading, boxes)]:
        text += before + part.text
        parts.append(part)
    things = list(_things(shapes, boxes))
    for at, part in enumerate(things):
        before = (" with " if part.name == "bar" else "; ") if not at else (" and " if at == len(things) - 1 else ", ")
        text += before + part.text
        parts.append(part)
    return Caption(text, tuple(parts))


def _kind(reading: Reading, shapes: Sequence[Shape]) -> str:
    return "Bar chart" if any(shape.kind == "bar" for shape in shapes) else reading.kind.capitalize()


def _fields(reading: Reading) -> Iterator[tuple[str, Part]]:
    for before, name in _TOLD.get(reading.kind, _OTHERS):
        field = reading.fields.get(name)
        if field and (told := as_printed(field)):
            yield before, Part(name, f"'{told}'" if name in _QUOTED else told, field.boxes)


def as_printed(field: Field) -> str:
    """The value of a field in words that stand in its boxes; where it was set right, the boxes themselves."""
    printed = join(field.boxes)
    value = " ".join(field.text.split())
    return value if value in printed else printed


def _figures(reading: Reading) -> Iterator[tuple[str, Part]]:
    """How many rows and columns of figures a table has."""
    if reading.kind == "table" and reading.figures:
        boxes = tuple(box for _, held in reading.figures.values() for box in held)
        rows = len({key.rpartition("|")[0] for key in reading.figures})
        columns = len({key.rpartition("|")[2] for key in reading.figures})
        yield " of ", Part("figures", f"figures in {_counted(rows, 'row')} and {_counted(columns, 'column')}", boxes)


def _photographed(reading: Reading, boxes: Sequence[Box]) -> Iterator[tuple[str, Part]]:
    if reading.kind == "photograph" and boxes and len(boxes) <= 3:
        yield " with the words ", Part("words", f"'{join(boxes)}'", tuple(boxes))


def _things(shapes: Sequence[Shape], boxes: Sequence[Box]) -> Iterator[Part]:
    """Tables with their rows, signatures, stamps and bars; things of one kind are counted."""
    kinds: dict[str, list[Shape]] = defaultdict(list)
    for shape in shapes:
        kinds[shape.kind].append(shape)
    for noun in NOUNS:
        found = tuple(kinds.get(noun, ()))
        if noun == "table":
            for shape in found:
                yield Part("table", _table(shape, boxes), shapes=(shape,))
        elif found:
            yield Part(noun, f"a {noun}" if len(found) == 1 else _counted(len(found), noun), shapes=found)


def _table(shape: Shape, boxes: Sequence[Box]) -> str:
    inside = [b for b in boxes if shape.x0 <= b.middle[0] <= shape.x1 and shape.y0 <= b.middle[1] <= shape.y1]
    rows = len(lines(inside)) if inside else 0
    return f"a table of {_counted(rows, 'row')}" if rows else "a table"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("s" if count != 1 else "")
