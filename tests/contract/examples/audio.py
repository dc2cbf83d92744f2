from tests.ingest_reading import copies

BAD = b"RIFF but no recording"


def good() -> dict[str, bytes]:
    return {"2024-02-29-call.ogg": copies("call-tiny.ogg")["call-tiny.ogg"]}
