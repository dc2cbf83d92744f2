"""Bytes that attack a reader: archives, pictures, documents and tables that promise more than they hold, or worse."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Sequence

from tests.contract.examples.pdf import assembled

MIB = 1 << 20
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 7\n"
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">'.encode() for before, after in zip("abcdefghi", "bcdefghij", strict=True)
) + b"]>"  # fmt: skip
"""A document type whose entity j is a thousand million laughs."""
FILE_ENTITY = b'<!DOCTYPE l [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
WEB_ENTITY = b'<!DOCTYPE l [<!ENTITY j SYSTEM "http://192.0.2.1/secret">]>'


def zeros(count: int, wrapped: bool = True) -> bytes:
    """So many MiB of zeros, deflated at once: one flushed block again and again, with the checksum of them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    raw = block * count + b"\x03\x00"
    return b"x\x9c" + raw + struct.pack(">I", (count * MIB % 65521) << 16 | 1) if wrapped else raw


def gzipped(raw: bytes, size: int, crc: int = 0) -> bytes:
    return b"\x1f\x8b\x08" + bytes(7) + raw + struct.pack("<II", crc, size & 0xFFFFFFFF)


def tgz(members: Sequence[tuple[str, bytes | str]]) -> bytes:
    """A gzipped tar of files, or of symbolic links where a text is given."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as outer, tarfile.open(fileobj=outer, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def tar_bomb(count: int) -> bytes:
    """A gzipped tar with one CSV of so many MiB."""
    member = tarfile.TarInfo("rows.csv")
    member.size = count * MIB
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(member.tobuf()) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzipped(head + zeros(count, wrapped=False), 512 + count * MIB)


def zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header says a size, whatever its data is."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def wav(rate: int, channels: int, data: bytes, said: int | None = None) -> bytes:
    """A WAV of 16 bits whose header says a rate, channels and a length, true or not."""
    size = len(data) if said is None else said
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16)
    riff = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", len(riff)) + riff


def pdf_with(stream: bytes, filters: str = "/FlateDecode", media: str = "0 0 595 842", kids: str = "3 0 R") -> bytes:
    """A PDF of one page with this content stream."""
    return assembled(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{media}] /Contents 4 0 R /Resources << >> >>",
            f"<< /Length {len(stream)} /Filter [{filters}] >>\nstream\n".encode() + stream + b"\nendstream",
        ]
    )


def parquet(columns: dict[str, list[str]], groups: int = 1) -> bytes:
    """A Parquet file in which the same rows are written again and again: small on disk, large when read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table, packed = pa.table(columns), io.BytesIO()
    with pq.ParquetWriter(packed, table.schema, compression="zstd") as writer:
        for _ in range(groups):
            writer.write_table(table)
    return packed.getvalue()
