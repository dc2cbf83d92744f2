from tests.ingest_reading import copies

BAD = b"\x00\x00\x00\x18ftypmp42 but no film"


def good() -> dict[str, bytes]:
    return {"2024-02-29-talk.mp4": copies("talk-tiny.mp4")["talk-tiny.mp4"]}
