"""Saved views: what somebody saw in the explorer, kept under the digest of itself and opened again by a link.

A view never changes: whoever saves another one gets another id, so a link in a report shows what it showed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kg.errors import KgRiskError
from kg.files import write_whole

ID: Final = re.compile(r"[0-9a-f]{16}")
MOST: Final = 10_000
"""Views kept; the ones saved least lately go first."""


class NoViewError(KgRiskError):
    """There is no saved view of that id."""


class SavedViews:
    """The saved views of a home folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, view: Mapping[str, Any]) -> str:
        """Keep a view; gives its id. The same view again is the same file."""
        content = json.dumps(view, ensure_ascii=False, sort_keys=True).encode()
        id = hashlib.sha256(content).hexdigest()[:16]
        write_whole(self.folder / f"{id}.json", content)
        for old in self._files()[MOST:]:
            old.unlink(missing_ok=True)
        return id

    def __getitem__(self, id: str) -> dict[str, Any]:
        """NoViewError if there is none of that id."""
        path = self.folder / f"{id}.json"
        if not ID.fullmatch(id) or not path.exists():
            raise NoViewError(f"there is no saved view {id[:40]!r}; save what you see, and send that link")
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Id and title of each, the latest first."""
        for path in self._files():
            if ID.fullmatch(path.stem):
                view = self[path.stem]
                yield {"id": path.stem, "title": view.get("title", ""), "by": view.get("by", "")}

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"), key=lambda path: (-path.stat().st_mtime_ns, path.name))
