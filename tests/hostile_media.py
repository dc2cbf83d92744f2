"""What can be wrong with pictures, sound, archives and the entries of a folder."""

from __future__ import annotations

from collections.abc import Iterator

from tests import hostile_bytes as made
from tests.contract.examples.pdf import pdf
from tests.hostile import Case
from tests.hostile_bases import base


def pictures() -> Iterator[Case]:
    yield Case("bad/image-giant.png", made.png(100_000, 100_000, made.zeros(1)), "absurd")
    yield Case("bad/image-wide.png", made.png(2**31 - 1, 1, made.zeros(1)), "absurd")
    yield Case("bad/image-bomb.png", made.png(12_000, 12_000, made.zeros(140)), "at most")
    yield Case("bad/image-none.png", made.png(0, 0), "cannot be decoded")
    yield Case("bad/image-torn.png", made.png(300, 300, b"x\x9cgarbage"), "cannot be decoded")
    yield Case("bad/image-torn.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\xff" * 300, "cannot be decoded")
    yield Case("bad/image-cut.jpeg", b"\xff\xd8\xff", "cannot be decoded")
    yield Case("bad/pdf-bomb.pdf", made.pdf_with(made.zeros(1500)), "bomb")
    yield Case("bad/pdf-garbage.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40, "broken")
    yield Case("bad/pdf-loop.pdf", made.pdf_with(b"", kids="2 0 R"), "damaged")
    yield Case("bad/pdf-page.pdf", made.pdf_with(b"", media="0 0 99999999 99999999"), "no date")
    yield Case("bad/pdf-blank.pdf", made.pdf_with(b"garbage"), "no date")
    yield Case(
        "bad/pdf-locked.pdf",
        pdf([["Words"]]).replace(
            b"/Root 1 0 R", b"/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P 0 >>"
        ),
        "broken",
    )
    yield Case("bad/pdf-undated.pdf", pdf([["Words without a date"]]), "no date")


def sounds() -> Iterator[Case]:
    yield Case("bad/2024-01-01-silence.wav", made.wav(16_000, 1, bytes(32_000)), "no words")
    yield Case("bad/2024-01-01-rate.wav", made.wav(4_294_967_295, 1, bytes(32_000)), "cannot be decoded")
    yield Case("bad/2024-01-01-norate.wav", made.wav(0, 1, bytes(32_000)), "cannot be decoded")
    yield Case("bad/2024-01-01-channels.wav", made.wav(16_000, 65_535, bytes(32_000)), "cannot be decoded")
    yield Case("bad/2024-01-01-length.wav", made.wav(16_000, 1, bytes(1000), 4_000_000_000), "no words")
    yield Case("bad/2024-01-01-none.wav", made.wav(16_000, 1, b""), "no sample")
    yield Case("bad/2024-01-01-garbage.flac", b"fLaC" + bytes(range(256)) * 8, "cannot be decoded")
    yield Case("bad/2024-01-01-garbage.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(range(256)), "cannot be decoded")
    yield Case("bad/2024-01-01-garbage.mp4", b"\0\0\0\x18ftypmp42" + b"\xff" * 400, "cannot be decoded")
    yield Case("bad/2024-01-01-size.mp4", b"\xff\xff\xff\xffftypmp42\xff\xff\xff\xffmoov", "cannot be decoded")
    yield Case("bad/2024-01-01-lie.webm", b"RIFF....", "cannot be decoded")
    call = base("audio", "2024-02-29-call.ogg")
    yield Case("bad/sidecar/call.ogg", call, "no ISO")
    yield Case("bad/sidecar/call.ogg.meta.json", b'{"published": "0000-00-00"}', "")


def archives() -> Iterator[Case]:
    payments = base("trades", "payments-tiny.csv").split(b"\n93,")[0]
    yield Case("bad/bomb.tgz", made.tar_bomb(2000), "more than")
    yield Case("bad/slip.tgz", made.tgz([("../../outside.csv", payments)]), "leads out")
    yield Case("bad/absolute.tgz", made.tgz([("/tmp/outside.csv", payments)]), "leads out")
    yield Case("bad/link.tgz", made.tgz([("rows.csv", "/etc/passwd")]), "is a link")
    yield Case("bad/torn.tgz", b"\x1f\x8b\x08garbage", "cannot be read as a tar")
    yield Case("bad/cut.tgz", made.tgz([("rows.csv", payments * 50)])[:150], "cannot be read as a tar")
    yield Case("bad/no-tar.tgz", made.gzipped(made.zeros(1, wrapped=False), made.MIB), "tar file")
    yield Case("bad/empty-tar.tgz", made.tgz([]), "no CSV")
    yield Case("bad/notes.tgz", made.tgz([("notes.txt", b"x")]), "no CSV")
    yield Case("bad/zip-bomb.zip", made.zipped("a.csv", bytes(20_000_000)), "bomb")
    yield Case("bad/zip-slip.zip", made.zipped("../../a.csv", b"x"), "leads out")
    yield Case("bad/zip-absolute.zip", made.zipped("/tmp/a.csv", b"x"), "leads out")
    yield Case("bad/zip-torn.zip", b"PK\x03\x04" + b"\xff" * 100, "broken zip")
    yield Case("bad/zip-lie.csv", made.zipped("a.csv", b"x"), "zip archive")
    yield Case("bad/gzip-lie.json", made.gzipped(made.zeros(1, wrapped=False), made.MIB), "gzip")
    yield Case("bad/program.csv", b"\x7fELF" + bytes(100), "a program")


def entries() -> Iterator[Case]:
    """What lies in a folder and is no file, or has a name that is none."""
    yield Case("bad/link.csv", b"", "out of the folder", "/etc/passwd")
    yield Case("bad/link-up.xml", b"", "out of the folder", "../../../../etc/hosts")
    yield Case("bad/link-loop.csv", b"", "refused", "link-loop.csv")
    yield Case("bad/link-gone.pdf", b"", "refused", "nowhere.pdf")
    yield Case("bad/link-folder", b"", "out of the folder", "/etc")
    yield Case("bad/pipe.csv", b"", "pipe", "|")
    yield Case("bad/pipe.png", b"", "pipe", "|")
    torn = base("gleif", "lei-records.json")[:200]
    for number, name in enumerate(
        (
            "two\nlines",
            "quo\"te'",
            "-rf *",
            "$(touch x)",
            "; rm -rf ~",
            "\u202egnp",
            "n" * 240,
            "%2e%2e%2f",
            "a#b#c",
            "{x}",
        )
    ):
        yield Case(f"bad/names/{number}{name}.json", torn, "JSON")
    yield Case(f"bad/{'/'.join('deep' * 25 for _ in range(5))}/torn.json", torn, "JSON")
