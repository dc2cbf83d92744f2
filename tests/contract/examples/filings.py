from tests.ingest_reading import copies

BAD = b"<ownershipDocument><documentType>4</documentType></ownershipDocument>"


def good() -> dict[str, bytes]:
    return copies("10k-tiny.html", "form4-tiny.xml", "13f-tiny.xml", "13f-tiny.meta.json", "submission-tiny.txt")
