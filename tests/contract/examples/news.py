import json

BAD = b'{"title": "torn'


def good() -> dict[str, bytes]:
    said = {
        "title": "Larch Hill Bank plc lends",
        "body": "Larch Hill Bank plc lent EUR 5 million to Oakmere Turbines Inc. in 2023.",
    }
    return {"a.jsonl": json.dumps(said | {"published": "2023-04-05T08:00:00Z"}).encode() + b"\n"}
