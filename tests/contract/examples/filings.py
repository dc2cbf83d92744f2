from tests.ingest_reading import copies

BAD = b"<ownershipDocument><documentType>4</documentType></ownershipDocument>"


def good() -> dict[str, bytes]:
    undated = copies("instance-tiny.xml", "nport-tiny.xml")
    dated = {name.replace("tiny", "2023-11-29"): content for name, content in undated.items()}
    return dated | copies(
        "10k-tiny.html",
        "form4-tiny.xml",
        "13f-tiny.xml",
        "13f-tiny.meta.json",
        "submission-tiny.txt",
        "companyfacts-tiny.json",
        "npx-tiny.xml",
        "13g-tiny.txt",
        "ex21-tiny.txt",
        "8k-tiny.html",
    )
