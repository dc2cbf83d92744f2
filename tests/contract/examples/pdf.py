"""A minimal PDF: objects written by hand, one line of text for each line given."""

from collections.abc import Sequence

BAD = b"%PDF-1.4\nbut nothing follows"


def pdf(pages: Sequence[Sequence[str]], size: int = 12) -> bytes:
    """A PDF whose pages carry these lines in Helvetica."""
    kids = " ".join(f"{3 + 2 * i} 0 R" for i in range(len(pages)))
    font = 3 + 2 * len(pages)
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    for i, lines in enumerate(pages):
        text = "\n".join(
            f"BT /F1 {size} Tf 60 {780 - int(1.4 * size) * n} Td ({_escaped(line)}) Tj ET"
            for n, line in enumerate(lines)
        )
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {4 + 2 * i} 0 R "
            f"/Resources << /Font << /F1 {font} 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(text)} >>\nstream\n{text}\nendstream")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    return assembled(objects)


def assembled(objects: Sequence[str | bytes]) -> bytes:
    """A PDF of these objects, the first of which is its root."""
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + (content if isinstance(content, bytes) else content.encode("latin-1"))
        out += b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
    end += f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + end.encode()


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def good() -> dict[str, bytes]:
    letter = (
        "Annual letter of Oakmere Turbines Inc.",
        "",
        "Larch Hill Bank plc lent EUR 5 million to Oakmere Turbines Inc. in April 2023.",
    )
    register = b"file,document,page,published,subject_id\nletter.pdf,letter-1,1,2023-04-05T09:00:00Z,\n"
    return {"letter.pdf": pdf([letter]), "pages.csv": register}
