"""The disk under a folder: what it refuses becomes an error that names the disk and says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import Final

from kg.errors import DiskError, KgRiskError

_SAID: Final = {
    "No space left on device": errno.ENOSPC,
    "database or disk is full": errno.ENOSPC,
    "Read-only file system": errno.EROFS,
    "readonly database": errno.EROFS,
    "Permission denied": errno.EACCES,
    "Operation not permitted": errno.EPERM,
    "File too large": errno.EFBIG,
    "quota exceeded": errno.EDQUOT,
    "Input/output error": errno.EIO,
    "disk I/O error": errno.EIO,
}
"""How libraries that give no number tell what the system refused."""
_MAY_NOT: Final = "this user may not write there", "give it the right to, or name a home of its own"
_LIMIT: Final = "a limit on the size of files or a quota is reached", "raise it (`ulimit -f`, `quota`)"
_CAUSES: Final = {
    errno.ENOSPC: ("its disk is full", "make room there, or move the home to a larger disk"),
    errno.EROFS: ("its disk is read-only", "mount it for writing, or name a home on another disk"),
    errno.EACCES: _MAY_NOT,
    errno.EPERM: _MAY_NOT,
    errno.EFBIG: _LIMIT,
    errno.EDQUOT: _LIMIT,
    errno.EIO: ("its disk fails", "look at the system's log, and move the home to another disk"),
}
"""What was refused, and what to do, by the number of the system."""


@contextmanager
def writing(folder: Path, what: str) -> Iterator[None]:
    """Within the block `what` is written below a folder; DiskError if its disk refuses, by whatever library."""
    try:
        yield
    except KgRiskError:
        raise
    except Exception as error:
        if (refused := refusal(error, folder, what)) is None:
            raise
        raise refused from error


def refusal(error: BaseException, folder: Path, what: str) -> DiskError | None:
    """The error that tells what a disk refused; None if it was no disk."""
    number = error.errno if isinstance(error, OSError) else None
    if number not in _CAUSES:
        said = str(error)
        number = next((code for words, code in _SAID.items() if words in said), None)
    if number is None:
        return None
    why, step = _CAUSES[number]
    return DiskError(
        f"{folder}: {what} could not be written: {why}{_free(folder)}; {step} and run again: "
        "what was acknowledged stays, the rest is done then"
    )


def disk_error(error: OSError) -> DiskError | None:
    """The same for what nobody foresaw, of a file that was written; None if no disk is at fault."""
    if error.errno not in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EFBIG):
        return None
    return refusal(error, Path(error.filename or Path.cwd()), "it")


def _free(folder: Path) -> str:
    """What is left on the disk of a folder that may not be there yet."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), None)
    if there is None:
        return ""
    usage = disk_usage(there)
    return f" ({usage.free / 1e6:,.1f} MB free of {usage.total / 1e6:,.1f} MB)"
