"""Prints articles as JSON lines by year and some of them as HTML pages."""

from __future__ import annotations

import json
from html import escape

from kgrisk.sample.articles import Article
from kgrisk.sample.wording import MARK
from kgrisk.sample.world import template

EVERY = 18
"""Each so-many-th article is an HTML page instead of a JSON line."""


def _line(article: Article) -> str:
    item = {
        "id": article.id,
        "published": article.published.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "title": article.title,
        "body": "\n\n".join(article.paragraphs),
        "url": f"https://news.example/{article.published:%Y/%m}/{article.id}",
        "language": "en",
    }
    return json.dumps(item, ensure_ascii=False)


def _page(article: Article) -> str:
    return template("article.html").format(
        published=f"{article.published:%Y-%m-%dT%H:%M:%SZ}",
        title=escape(article.title),
        body="\n".join(f"<p>{escape(p, quote=False)}</p>" for p in article.paragraphs),
        mark=MARK,
    )


def print_news(
    articles: list[Article],
) -> tuple[dict[str, bytes], list[tuple[Article, str, int]], list[dict[str, str]]]:
    """Files by path, where each article stands, and the broken lines put in on purpose."""
    lines: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    placed: list[tuple[Article, str, int]] = []
    for n, article in enumerate(articles):
        if n % EVERY == 7:
            path = f"news/{article.id}.html"
            files[path] = _page(article).encode()
            placed.append((article, path, 0))
            continue
        path = f"news/{article.published.year}.jsonl"
        rows = lines.setdefault(path, [])
        rows.append(_line(article))
        placed.append((article, path, len(rows)))
    bad = _spoil(lines)
    files |= {path: ("\n".join(rows) + "\n").encode() for path, rows in lines.items()}
    return files, placed, bad


def _spoil(lines: dict[str, list[str]]) -> list[dict[str, str]]:
    """Two records that must end in quarantine: a line cut off in the middle, and one without a date."""
    broken, dateless = lines["news/2021.jsonl"], lines["news/2022.jsonl"]
    broken.append(broken[0][: len(broken[0]) // 2])
    item = json.loads(dateless[3]) | {"id": "kgs-undated", "published": "sometime in spring"}
    dateless.append(json.dumps(item, ensure_ascii=False))
    return [
        {"file": "news/2021.jsonl", "where": f"line {len(broken)}", "what": "broken JSON: the line is cut off"},
        {"file": "news/2022.jsonl", "where": f"line {len(dateless)}", "what": "published is no time"},
    ]
