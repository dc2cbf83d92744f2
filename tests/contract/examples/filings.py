from tests.ingest_reading import copies

BAD = b"<ownershipDocument><documentType>4</documentType></ownershipDocument>"


def good() -> dict[str, bytes]:
    dated = {"instance-2012-08-14.xml": copies("instance-tiny.xml")["instance-tiny.xml"]}
    return dated | copies(
        "10k-tiny.html",
        "form4-tiny.xml",
        "13f-tiny.xml",
        "13f-tiny.meta.json",
        "submission-tiny.txt",
        "companyfacts-tiny.json",
        "nport-tiny.xml",
        "npx-tiny.xml",
        "13g-tiny.txt",
        "ex21-tiny.txt",
        "8k-tiny.html",
    )
