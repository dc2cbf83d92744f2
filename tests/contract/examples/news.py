import json

BAD = b'{"title": "torn'

_RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>
<item><title>Larch Hill Bank plc sues</title><link>https://example.org/3</link>
<description><![CDATA[<p>Larch Hill Bank plc sued Oakmere Turbines Inc. over <b>EUR 2 million</b>.</p>]]></description>
<pubDate>Thu, 06 Apr 2023 08:00:00 GMT</pubDate></item></channel></rss>"""
_ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Wire</title><entry><title>远山银行放贷</title>
<updated>2023-04-07T08:00:00Z</updated><link href="https://example.org/4"/>
<summary>远山银行向青禾科技有限公司提供5亿元贷款。</summary></entry></feed>"""
_POST = {
    "id": "p1",
    "text": "Hearing that Oakmere Turbines Inc. lost its biggest order 📉",
    "author": "harbourwatch",
    "followers": 5200,
    "created_at": "Fri Apr 07 09:30:00 +0000 2023",
    "repost_of": "p0",
}


def good() -> dict[str, bytes]:
    said = {
        "title": "Larch Hill Bank plc lends",
        "body": "Larch Hill Bank plc lent EUR 5 million to Oakmere Turbines Inc. in 2023.",
    }
    return {
        "a.jsonl": json.dumps(said | {"published": "2023-04-05T08:00:00Z"}).encode() + b"\n",
        "b.xml": _RSS.encode(),
        "c.atom": _ATOM.encode(),
        "d.jsonl": json.dumps(_POST, ensure_ascii=False).encode(),
        "e.csv": b'date,title\n2023-04-05,"Oakmere Turbines Inc. rises, at last"\n',
    }
