"""Plots of the report: figures as PNG bytes, drawn without a display and with one palette."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Facts = Mapping[str, Any]
INK, SOFT, BLUE, RED, GOLD, GREEN = "#1f2933", "#9aa5b1", "#2f6f9f", "#b5403a", "#c98a1b", "#4d7c4a"
COLOURS: Final[Mapping[str, str]] = {"Bank": BLUE, "Company": GOLD, "Fund": GREEN}
OWN: Final = "relational"
DPI: Final = 110


def draw(make: Callable[[Facts], Figure | None], facts: Facts) -> str:
    """A figure as a data address, for a page without any other file; empty if there is nothing to draw."""
    figure = make(facts)
    if figure is None:
        return ""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes


def graph_by_type(facts: Facts) -> Figure | None:
    """Bars of how many edges of each type were ever claimed."""
    rows = facts["graph"]["ever_edges"][::-1]
    figure, axes = _figure(6.4, 0.28 * len(rows) + 0.9)
    axes.barh([row["kind"] for row in rows], [row["count"] for row in rows], color=BLUE)
    axes.set_xscale("log")
    for place, row in enumerate(rows):
        axes.text(row["count"] * 1.08, place, f"{row['count']:,}", va="center", fontsize=8, color=INK)
    axes.set_xlabel("edges claimed (log scale)")
    return figure


def mrr(facts: Facts) -> Figure | None:
    """MRR of each model with its interval, and of the model with each modality permuted."""
    rows = [
        m
        for m in facts["learning"]["metrics"]
        if m["task"] == "links" and m["metric"] == "mrr" and m["value"] is not None
    ]
    if not rows:
        return None
    bars = [(m["model"], m["value"], m["low"], m["high"]) for m in rows]
    bars += [(f"{OWN}, {m['modality']} permuted", m["permuted"], None, None) for m in facts["learning"]["modalities"]]
    bars.reverse()
    figure, axes = _figure(6.4, 0.42 * len(bars) + 0.8)
    colours = [BLUE if name == OWN else SOFT if "permuted" in name else GOLD for name, *_ in bars]
    axes.barh([b[0] for b in bars], [b[1] for b in bars], color=colours)
    for place, (_, value, low, high) in enumerate(bars):
        if low is not None and high is not None:
            axes.errorbar(value, place, xerr=[[value - low], [high - value]], color=INK, capsize=3, lw=1)
        axes.text(0.002, place, f" {value:.3f}", va="center", fontsize=8, color="white")
    axes.set_xlabel("mean reciprocal rank on links published after the cut (bar: 95 % interval)")
    return figure


def calibration(facts: Facts) -> Figure | None:
    """Predicted probability of distress beside the share that happened."""
    rows = facts["learning"]["calibration"]
    if not rows:
        return None
    figure, axes = _figure(4.2, 3.8)
    top = max(0.05, *(row["score"] for row in rows), *(row["share"] for row in rows)) * 1.1
    axes.plot([0, top], [0, top], color=SOFT, lw=1, ls="--")
    axes.scatter(
        [row["score"] for row in rows],
        [row["share"] for row in rows],
        s=[10 + row["firms"] for row in rows],
        color=BLUE,
        alpha=0.8,
    )
    axes.set_xlabel("mean predicted probability of distress")
    axes.set_ylabel("share in distress within a year")
    return figure


def losses(facts: Facts) -> Figure | None:
    """Losses of banks in each shock, the direct part and the contagion."""
    told = [one for one in facts["shocks"]["told"] if one["banks"]]
    if not told:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    for axes, one in zip(figure.subplots(1, len(told), squeeze=False)[0], told, strict=True):
        rows = one["banks"][:10][::-1]
        names = [_short(row["name"]) for row in rows]
        axes.barh(names, [row["direct"] / 1e6 for row in rows], color=SOFT, label="direct")
        axes.barh(
            names,
            [row["contagion"] / 1e6 for row in rows],
            left=[row["direct"] / 1e6 for row in rows],
            color=RED,
            label="contagion",
        )
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.set_title(_short(one["name"], 48), fontsize=9, loc="left")
        axes.set_xlabel(f"{one['unit']} million", fontsize=9)
        axes.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def network(facts: Facts) -> Figure | None:
    """Who is hit by the first shock, and over which loans."""
    if not facts["shocks"]["told"]:
        return None
    picture, unit = facts["shocks"]["told"][0]["picture"], facts["shocks"]["told"][0]["unit"]
    place = {node["id"]: (node["x"], node["y"]) for node in picture["nodes"]}
    figure, axes = _figure(9.6, 6.2)
    axes.axis("off")
    most = max([edge["carried"] for edge in picture["edges"]], default=1.0) or 1.0
    for edge in picture["edges"]:
        style = {"color": GOLD if edge["predicted"] else RED, "lw": 0.6 + 4 * edge["carried"] / most, "alpha": 0.55}
        arrow = {"arrowstyle": "-|>", "shrinkA": 6, "shrinkB": 6, "connectionstyle": "arc3,rad=0.08", **style}
        axes.annotate("", xy=place[edge["target"]], xytext=place[edge["source"]], arrowprops=arrow)
    worst = max([node["loss"] for node in picture["nodes"]], default=1.0) or 1.0
    for rank, node in enumerate(picture["nodes"]):
        colour = COLOURS.get(node["label"], SOFT)
        axes.scatter(node["x"], node["y"], s=40 + 700 * node["loss"] / worst, color=colour, edgecolor="white", zorder=3)
        if rank < 14:
            loss = f"{unit} {node['loss'] / 1e6:,.1f} m" if node["loss"] else "fails"
            label = f"{_short(node['name'], 26)}\n{loss}"
            axes.annotate(
                label,
                (node["x"], node["y"]),
                fontsize=7,
                color=INK,
                xytext=(6, 6),
                textcoords="offset points",
                zorder=4,
            )
    for label, colour in COLOURS.items():
        axes.scatter([], [], color=colour, label=label)
    axes.plot([], [], color=RED, label="loss over a stated loan")
    axes.plot([], [], color=GOLD, label="over a predicted one")
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    return figure


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


PLOTS: Final[Mapping[str, Callable[[Facts], Figure | None]]] = {
    "graph": graph_by_type,
    "mrr": mrr,
    "calibration": calibration,
    "losses": losses,
    "network": network,
}
