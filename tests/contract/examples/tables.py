import json

_CONTEXT = {
    "table": {
        "uid": "t1",
        "table": [
            ["", "Years ended June 30,", ""],
            ["", "2023", "2022"],
            ["Assets", "", ""],
            ["Cash", "$ 1,250.5", "$ 990.0"],
            ["Loss on pumps", "(12.5)", "—"],
            ["Margin", "25.5%", "24.0%"],
            ["Rated by", "Oakmere Ratings", "none"],
        ],
    },
    "paragraphs": [{"uid": "p1", "order": 1, "text": "The table shows balances (in millions) of the pumps business."}],
    "questions": [],
}
BAD = b'[{"table": {"uid": "t", "table": "no rows"}, "paragraphs": []}]'


def good() -> dict[str, bytes]:
    return {"contexts-tiny.json": json.dumps([_CONTEXT]).encode()}
