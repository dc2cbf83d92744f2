"""Vector files: float32 matrices in .npy form, addressed by digest, one row per entity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt

from kg.errors import StoreError
from kg.files import Files

Matrix = npt.NDArray[np.float32]
_ADDRESS = re.compile(r"vectors:([0-9a-f]{64})#(\d+)")


def address(digest: str, row: int) -> str:
    """Where one vector lies, as the `embedding` property holds it."""
    return f"vectors:{digest}#{row}"


def place(text: str) -> tuple[str, int]:
    """Digest and row of an address; StoreError if it is none."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise StoreError(f"embedding {text!r}: expected vectors:<sha256>#<row>; publish the vectors again")
    return found[1], int(found[2])


def put_vectors(files: Files, matrix: Matrix) -> str:
    """Store a matrix (entities, dim) as float32 without pickle; returns its digest."""
    buffer = BytesIO()
    np.save(buffer, np.ascontiguousarray(matrix, dtype=np.float32), allow_pickle=False)
    return files.put(buffer.getvalue())


class Vectors:
    """Reads vectors by address. Each file is read, and its digest checked, once."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._matrices: dict[str, Matrix] = {}

    def __call__(self, text: str) -> list[float]:
        """The vector at an address; StoreError if there is none."""
        digest, row = self._find(text)
        return [float(x) for x in self._matrix(digest)[row]]

    def rows(self, texts: Sequence[str]) -> list[Matrix]:
        """The vectors at many addresses, in their order."""
        return [self._matrix(digest)[row] for digest, row in map(self._find, texts)]

    def _find(self, text: str) -> tuple[str, int]:
        digest, row = place(text)
        if row >= len(self._matrix(digest)):
            raise StoreError(
                f"embedding {text!r}: the file has {len(self._matrix(digest))} rows; publish the vectors again"
            )
        return digest, row

    def _matrix(self, digest: str) -> Matrix:
        if digest not in self._matrices:
            try:
                matrix = np.lib.format.read_array(BytesIO(self._files.get(digest)), allow_pickle=False)
            except ValueError as error:
                raise StoreError(
                    f"vector file {digest}: not a plain .npy matrix ({error}); publish the vectors again"
                ) from error
            if matrix.ndim != 2 or matrix.dtype != np.float32:
                raise StoreError(
                    f"vector file {digest}: {matrix.dtype} of shape {matrix.shape}, expected float32 (rows, dim)"
                )
            self._matrices[digest] = matrix
        return self._matrices[digest]
