import json

BAD = b'{"txid": "torn", "vin'


def good() -> dict[str, bytes]:
    spent = {"prevout": {"value": 0.5, "scriptPubKey": {"address": "bc1qlarchhillsender0001"}}}
    outs = [{"value": 0.4999, "n": 0, "scriptPubKey": {"address": "bc1qoakmerereceiver0001"}}]
    tx = {"txid": "a1", "time": 1_704_186_000, "vin": [spent], "vout": outs, "fee": 0.0001}
    sent = {"hash": "0xb2", "from": "0x" + "1a" * 20, "to": "0x" + "2b" * 20, "value": "0xde0b6b3a7640001"}
    return {
        "blocks.json": json.dumps([tx]).encode(),
        "ether.jsonl": json.dumps(sent | {"timeStamp": "1704186000"}).encode() + b"\n",
    }
