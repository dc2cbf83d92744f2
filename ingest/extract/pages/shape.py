"""A shape: a thing on a page that is not text, with its rectangle and its locator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A thing that is not text, and its rectangle."""

    kind: str
    x0: int
    y0: int
    x1: int
    y1: int

    def on(self, page: int = 1) -> str:
        """Its locator on a page."""
        return f"page:{page} shape:{self.x0},{self.y0},{self.x1},{self.y1}"
