"""Telling: what each stage of the demo found, in tables and sentences on the console."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from kgrisk import foresight
from kgrisk.console import grid, head, number, say
from kgrisk.delivery import told
from kgrisk.risk import shortened

Facts = Mapping[str, Any]
SHOWN = 8
PATHS = ("the path that carries most", "the one that carries most over two loans or more")


def money(value: float, unit: str) -> str:
    """Amount in millions."""
    return f"{unit} {value / 1e6:,.1f} m"


def opening(console: Console, facts: Facts) -> None:
    """What this run is, and the machine it runs on."""
    machine = facts["machine"]
    text = (
        "Files become claims, claims become a graph, the graph becomes scores, and scores become losses in money.\n"
        "Every company in this sample is fictional. Nothing leaves this machine: any attempt ends the run.\n"
        f"{machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}, {machine['system']}."
    )
    console.print(Panel(Text(text), title="kgrisk demo", title_align="left"))


def reading(console: Console, facts: Facts) -> None:
    """Section 1: counts by source, quarantine, what nobody read."""
    read = facts["reading"]
    head(console, "1. What was read, and what was refused")
    grid(console, "", source_rows(read))
    quarantined = read["quarantined"]
    say(console, f"{len(quarantined)} records or parts of records went into quarantine; the run goes on without them:")
    grid(console, "", quarantined[:15], ("source", "path", "locator", "reason"))
    if read["unread"]:
        unread = [f"{path}: {', '.join(columns)}" for path, columns in sorted(read["unread"].items())]
        more = f", and {len(unread) - 4} files more" if len(unread) > 4 else ""
        say(console, f"Columns and tags nobody read: {'; '.join(unread[:4])}{more}.")
    if read["cleaning"]:
        say(console, f"Cleaning, counted: {flat(read['cleaning'])}.")


def source_rows(read: Facts) -> list[dict[str, Any]]:
    """One row per source, and their sum."""
    names = ("files", "records", "claims", "refused", "seconds")
    sources = {name: count for name, count in read["sources"].items() if count["records"]}
    rows = [{"source": name, **{n: count[n] for n in names}} for name, count in sources.items()]
    return [*rows, {"source": "all", **{n: sum(row[n] for row in rows) for n in names}}]


def flat(value: Any) -> str:
    """Nested counts in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {flat(part)}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def resolution(console: Console, facts: Facts) -> None:
    """Section 2: judgements by rule, and vetoes."""
    head(console, "2. Which mentions are one entity")
    found = facts["resolution"]
    said = f"{found['judgements']} judgements, each a claim that can be retracted, name {found['clusters']} entities"
    say(console, f"{said} that have several ids; by rule: {flat(found['rules'])}.")
    if found["vetoes"]:
        say(console, f"Not joined, although a rule would: {flat(found['vetoes'])}.")


def graph(console: Console, facts: Facts) -> None:
    """Section 3: nodes and edges by kind."""
    g = facts["graph"]
    head(console, "3. The graph")
    say(
        console,
        f"{g['claims']:,} claims in {g['commits']} commits; {g['versions']:,} versions went into the "
        f"embedded store in {g['sync_seconds']:.1f} s. Ever, and as of {g['at'][:10]} from what was public then:",
    )
    grid(console, "nodes", _now_and_ever(g, "nodes"))
    grid(console, "edges", _now_and_ever(g, "edges"))


def _now_and_ever(g: Facts, what: str) -> list[dict[str, Any]]:
    now = {row["kind"]: row["count"] for row in g[what]}
    ever = {row["kind"]: row["count"] for row in g[f"ever_{what}"]}
    rows = [{"kind": kind, "ever claimed": count, "as of": now.get(kind, 0)} for kind, count in ever.items()]
    total = {name: sum(row[name] for row in rows) for name in ("ever claimed", "as of")}
    return [*rows, {"kind": "all", **total}]


def extraction(console: Console, facts: Facts) -> None:
    """Section 4: precision and recall by relation, held-out forms first."""
    rows = facts["extraction"]
    head(console, "4. How well relations were read from sentences")
    held = "Held out: sentence forms frozen before any pattern was written. No pattern was made from them; their totals"
    say(console, f"{held} were printed while the patterns were tuned on others.")
    columns = ("forms", "relation", "said", "found", "right", "precision", "recall", "f1", "denied", "denied_asserted")
    for forms in ("held out", "all"):
        grid(console, "", [row for row in rows if row["forms"] == forms], columns)


def learning(console: Console, facts: Facts) -> None:
    """Sections 5 and 6: models beside baselines and the best possible, then the links expected."""
    found = facts["learning"]
    head(console, f"5. Learning from what was published by {found['cut'][:10]}, tested on what came after")
    grid(
        console,
        "new links, ranked among all entities of a right kind (filtered, ties counted half)",
        metric_rows(found, "links"),
    )
    grid(console, "MRR with each modality dealt out anew among the nodes that have it", found["modalities"])
    grid(console, "distress within twelve months", metric_rows(found, "risk"))
    say(console, best_possible(found["ceiling"]))
    for remark in found["remarks"]:
        say(console, remark, "yellow" if " loses " in remark else "")
    grid(console, "most at risk by the published scores", found["scores"][:5], ("name", "label", "distress", "id"))
    head(console, "6. Links nobody states and the model expects, with what speaks for them")
    for link in found["links"]:
        say(
            console,
            f"{link['source_name']} -{link['relation']}-> {link['target_name']}  p = {number(link['score'])}",
            "bold",
        )
        say(console, f"  {link['hops'][0]}")
        say(console, f"  log odds against chance: {link['sum']}")


def best_possible(ceiling: Facts) -> str:
    """What the planted probabilities reach on the firms tested; no model can expect to do better. Empty if untested."""
    if not ceiling:
        return ""
    return (
        f"Distress was drawn from planted probabilities: on the same {ceiling['firms']} firms, {ceiling['events']} of "
        f"them hit, these reach AUPRC {ceiling['auprc']:.3f} and Brier {ceiling['brier']:.4f}, and no model can expect "
        f"more; leverage alone gives AUPRC {ceiling['auprc_leverage']:.3f}, and the base rate is "
        f"{ceiling['base_rate']:.3f}."
    )


FIGURES = {
    "links": ("mrr", "hits@10", "auprc", "log_loss", "ece"),
    "risk": ("auprc", "auroc", "brier", "log_loss", "ece", "f1"),
}
"""Figures that fit a page; the run's card and its JSON have all of them."""


def metric_rows(found: Facts, task: str) -> list[dict[str, Any]]:
    """One row per model, one column per metric that fits a page; the interval beside the figure."""
    rows: dict[str, dict[str, Any]] = {}
    for item in found["metrics"]:
        if item["task"] == task and item["metric"] in FIGURES[task]:
            interval = f" [{item['low']:.3f}, {item['high']:.3f}]" if item["low"] is not None else ""
            rows.setdefault(item["model"], {"model": item["model"]})[item["metric"]] = _figure(item["value"]) + interval
            rows[item["model"]]["n"] = item["count"]
    return list(rows.values())


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def shocks(console: Console, facts: Facts) -> None:
    """Section 7: two shocks, in money."""
    found = facts["shocks"]
    head(console, f"7. Two shocks on {found['at'][:10]}, in money")
    culprit = found["culprit"]
    say(
        console,
        f"Of all entities, the failure of {culprit['name']} costs the others most: "
        f"{money(culprit['others_lose'], 'EUR')} by DebtRank.",
    )
    for one in found["told"]:
        console.print()
        _shock(console, one)


def _shock(console: Console, one: Facts) -> None:
    unit = one["unit"]
    say(console, f"{one['name']} ({one['measure']})", "bold")
    say(console, lost(one))
    if one["total_stated"] is not None:
        more = money(one["total"] - one["total_stated"], unit)
        stated = f"with stated loans alone {money(one['total_stated'], unit)}"
        say(console, f"{stated}: {one['predicted_used']} predicted loans change it by {more}")
    grid(console, f"banks that lose most ({unit} m)", bank_rows(one))
    for path, words in zip(one["paths"], PATHS, strict=False):
        say(console, f"{words} ({money(path['loss'], unit)}): {path_text(path, unit)}")
    for note in one["notes"]:
        say(console, shortened(note), "dim")


def lost(one: Facts) -> str:
    """What is lost in all and by whom it begins, in a sentence."""
    unit = one["unit"]
    text = (
        f"The others lose {money(one['total'], unit)}"
        if not one["direct"]
        else f"Lost in all {money(one['total'], unit)}"
    )
    if one["direct"]:
        text += f", of it {money(one['direct'], unit)} by the shock itself"
    if len(one["waves"]) > 1:
        text += "; in turn default " + ", then ".join(" and ".join(wave[:4]) for wave in one["waves"][1:])
    return f"{text}. The parts add up to within {one['adds_up']:.1g}."


def bank_rows(one: Facts) -> list[dict[str, Any]]:
    """Losses of banks in millions."""
    return [
        {
            "bank": row["name"],
            "equity": _millions(row["equity"]),
            "direct": _millions(row["direct"]),
            "contagion": _millions(row["contagion"]),
            "loss": _millions(row["loss"]),
            "stated loans only": _millions(row.get("loss_without_predicted")),
            "distress": row["distress"],
        }
        for row in one["banks"][:SHOWN]
    ]


def _millions(value: float | None) -> str:
    return "" if value is None else f"{value / 1e6:,.1f}"


def path_text(path: Facts, unit: str) -> str:
    """From who was shocked to who loses, with the size of each loan."""
    text = str(path["steps"][0]["debtor_name"])
    for step in path["steps"]:
        how = "would owe (predicted)" if step["predicted"] else "owes"
        text += f" ={how} {money(step['amount'], unit)}=> {step['creditor_name']}"
    return text


def queries(console: Console, facts: Facts) -> None:
    """Section 9: named queries, their rows and seconds."""
    found = facts["queries"]
    head(console, "9. Three named questions, in Cypher")
    for query in found["asked"]:
        params = ", ".join(f"{name}={value}" for name, value in query["params"].items())
        console.print()
        say(console, query["tells"], "bold")
        say(console, f"{query['name']}({params})", "dim")
        grid(console, "", query["rows"])
        say(console, timing(query))
    if found["neo4j"]["reason"]:
        say(console, f"Neo4j was left out: {found['neo4j']['reason']}.", "yellow")


def timing(query: Facts) -> str:
    """Rows and seconds on each store."""
    own = f"{query['count']} rows; embedded {query['seconds'] * 1000:,.0f} ms"
    if "neo4j_seconds" not in query:
        return own
    return f"{own}, Neo4j {query['neo4j_seconds'] * 1000:,.0f} ms, equal row by row"


SECTIONS: Mapping[str, Callable[[Console, Facts], None]] = {
    "reading": reading,
    "resolution": resolution,
    "graph": graph,
    "extraction": extraction,
    "learning": learning,
    "shocks": shocks,
    "foresight": foresight.told,
    "queries": queries,
    "delivery": told,
}
