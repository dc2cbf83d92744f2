from tests.ingest_reading import copies

BAD = b""


def good() -> dict[str, bytes]:
    return copies("entities-tiny.csv", "exposures-tiny.csv", "eba-tiny.csv")
