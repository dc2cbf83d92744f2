"""What happens to files below a folder, as the kernel tells it (inotify): also what a library writes natively."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

CREATED, CHANGED, CLOSED, MOVED, GONE = 0x100, 0x2, 0x8, 0x80, 0x200
"""A file was made, written to, closed after that, given this name, or removed (inotify(7))."""
_SEEN = CREATED | CHANGED | CLOSED | MOVED | GONE
_FOLDER = 0x40000000
_HEAD = struct.Struct("iIII")


class FileEvents:
    """The paths below a folder to which something happens, folders that are made meanwhile among them.

    What happens in a new folder before it is watched is not told.
    """

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._fd >= 0, os.strerror(ctypes.get_errno())
        self._folders: dict[int, Path] = {}
        self._watch(folder)

    def __enter__(self) -> FileEvents:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._fd)

    def told(self, seconds: float) -> Iterator[Path]:
        """What happened by now, after waiting for something so long at most."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return
        data, place = os.read(self._fd, 1 << 16), 0
        while place < len(data):
            watch, kind, _, length = _HEAD.unpack_from(data, place)
            name = data[place + _HEAD.size : place + _HEAD.size + length].rstrip(b"\0")
            place += _HEAD.size + length
            path = self._folders[watch] / os.fsdecode(name)
            if kind & _FOLDER and kind & (CREATED | MOVED):
                self._watch(path)
            elif not kind & _FOLDER:
                yield path

    def _watch(self, folder: Path) -> None:
        watch = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), _SEEN)
        if watch >= 0:  # else it is gone again
            self._folders[watch] = folder
            for inner in folder.iterdir():
                if inner.is_dir():
                    self._watch(inner)
