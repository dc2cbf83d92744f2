from tests.ingest_reading import copies

BAD = b""


def good() -> dict[str, bytes]:
    return copies("payments-tiny.csv", "accounts-tiny.csv", "trades-tiny.csv")
