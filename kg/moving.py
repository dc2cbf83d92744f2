"""Moving: a ledger taken out of an object store into the folder beside it, or put there; it stays the same ledger.

Same uuid, same commits, same known times, so stores, caches and tombstones of a home go on. Nobody may write meanwhile.
Either move can be done again after a kill: until the mark in the folder is written, the old place is what counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree

from deltalake.exceptions import TableNotFoundError

from kg.disk import writing
from kg.errors import LedgerError
from kg.lease import Lease
from kg.place import APP, Place, checked, described, usable
from kg.swap import swap


def move_here(folder: Path | str, options: Mapping[str, str] | None = None) -> None:
    """Make a ledger in the folder out of the one in the object store that it lies beside.

    What lies in the object store stays there, and is for its owner to delete. A ledger that is here already stays.
    """
    place = _held(usable(Path(folder)), options)
    uuid = place.identify()
    with writing(place.folder, "the ledger's table"), Lease(place.folder / "lease.json", "moving the ledger"):
        if place.remote:
            rmtree(place.folder / "table.new", ignore_errors=True)
            place.write(place.folder / "table.new")
            swap(place.folder)
            Place(place.folder).mark(uuid)  # from here on it is the folder that counts
        rmtree(place.folder / "copies", ignore_errors=True)


def move_to(folder: Path | str, url: str, options: Mapping[str, str] | None = None) -> None:
    """Put the ledger of a folder into an object store; the folder stays beside it, with who was erased.

    LedgerError if anything but this ledger, as it is now, lies there.
    """
    place = _held(Path(folder), options)
    there = Place(place.folder, checked(url), dict(options or {}))
    if place.remote and place.url != there.url:
        raise LedgerError(f"{place.folder} lies beside {place.url} already; move the ledger here first (`move_here`)")
    with Lease(place.folder / "lease.json", "moving the ledger"):
        if not place.remote:
            _put(place, there)
        rmtree(place.folder / "table", ignore_errors=True)
        (place.folder / "seal.json").unlink(missing_ok=True)


def _held(folder: Path, options: Mapping[str, str] | None) -> Place:
    """The place of the ledger of a folder. LedgerError for a folder without any."""
    if not (folder / "ledger.json").exists():
        raise LedgerError(f"{folder} holds no ledger and lies beside none; name the folder `ledger` of a home")
    return Place.of(folder, options, None)


def _put(place: Place, there: Place) -> None:
    """Write the table of a folder into an object store, and in the folder that it is there."""
    uuid = place.identify()
    with there.reached():
        try:
            found = there.open()
        except TableNotFoundError:
            place.write(there.url, description=described(uuid), storage_options=there.given())
            found = there.open()
        told, last = found.metadata().description, found.transaction_version(APP)
    if (told, last) != (described(uuid), place.table().transaction_version(APP)):
        raise LedgerError(f"{there.url} holds another table; name a place where nothing lies")
    there.mark(uuid)  # from here on it is the object store that counts
