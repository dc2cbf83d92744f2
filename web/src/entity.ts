// The panel of an entity: scores, facts, how each came to be what it is, and evidence beside it.

import { get, type Entity, type Fact, type Stamp, type Value } from "./api";
import { steps } from "./charts";
import { act, cell, el, link, money, percent, short, shown, table } from "./dom";
import { evidence } from "./evidence";
import type { Shown } from "./panel";
import { clocks, further, now, packed, set } from "./state";

const HIDDEN = new Set(["embedding", "run", "run_question", "run_commit", "alarm", "finding_edge"]);

export async function entity(): Promise<Shown> {
  const { id } = now();
  if (!id) return { panel: start() };
  const own = await get<Entity & Stamp & { degree: number; facts: Fact[] }>(`/v1/entities/${encodeURIComponent(id)}`, clocks());
  const beside = el("div", { id: "evidence", "aria-live": "polite" });
  const why = async (statement: string): Promise<void> => {
    beside.replaceChildren(await shown(() => evidence(statement)));
    beside.scrollIntoView({ block: "nearest" });
  };
  const tell = async (property: string): Promise<void> => {
    beside.replaceChildren(await shown(() => history(id, property, why)));
    beside.scrollIntoView({ block: "nearest" });
  };
  const facts = own.facts.filter((fact) => !HIDDEN.has(fact.property));
  const scores = facts.filter((fact) => fact.unit === "probability" || ["sentiment", "warning", "finding"].includes(fact.property));
  const plain = facts.filter((fact) => !scores.includes(fact));
  const rest = [scores.length ? listed("Scores", scores, why, tell) : null, listed("Facts", plain, why, tell)];
  return {
    panel: el(
      "div",
      {},
      el("h2", {}, short(own.name)),
      el("p", { class: "fine" }, `${own.label}; ${own.id}; ${own.degree} edges`),
      el(
        "p",
        { class: "acts" },
        act("Expand", () => set(now().root && !now().whole ? { open: further(id) } : { root: id, open: "", whole: "" })),
        act("Shock", () => set({ panel: "shock", shock: packed([id]) })),
        act("Paths from here", () => set({ panel: "path", to: "" })),
        act("Add to a case", () => set({ panel: "cases", case: "", about: packed([id]) })),
      ),
      beside,
      ...rest,
    ),
  };
}

/** The latest value of each fact, with its number of values and ways to evidence and history. */
function listed(title: string, facts: Fact[], why: (statement: string) => void, tell: (property: string) => void): HTMLElement {
  const latest = new Map<string, Fact>();
  const count = new Map<string, number>();
  for (const fact of facts) {
    const kept = latest.get(fact.property);
    count.set(fact.property, (count.get(fact.property) ?? 0) + 1);
    if (!kept || fact.valid_from > kept.valid_from) latest.set(fact.property, fact);
  }
  const ends = new Set([...latest.keys()].flatMap((own) => [`${own}_low`, `${own}_high`])); // told as the range of it
  const shownFacts = [...latest.values()].filter((fact) => !ends.has(fact.property));
  const rows = shownFacts.map((fact) => ({ fact: fact.property, value: "", since: "", why: "", own: fact }));
  const found = (row: Record<string, unknown>): Fact => row["own"] as Fact;
  return table(
    rows,
    [
      ["fact", (row) => found(row).property.replaceAll("_", " ")],
      ["value", (row) => value(found(row), latest.get(`${found(row).property}_low`), latest.get(`${found(row).property}_high`))],
      ["since", (row) => cell(found(row).valid_from)],
      [
        "why",
        (row) => {
          const { property, statement } = found(row);
          const words = property.replaceAll("_", " ");
          const many = count.get(property) ?? 1;
          return el(
            "span",
            { class: "whys" },
            link("evidence", () => why(statement), { "aria-label": `evidence of ${words}` }),
            link(many > 1 ? `history (${many})` : "history", () => tell(property), { "aria-label": `history of ${words}` }),
          );
        },
      ],
    ],
    title,
  );
}

function value(fact: Fact, low?: Fact, high?: Fact): Node | string {
  const number = Number(fact.value);
  if (fact.unit === "probability") return el("span", {}, el("meter", { min: 0, max: 1, value: number, "aria-hidden": "true" }), ` ${percent(number)}${low && high ? ` (${percent(low.value)} to ${percent(high.value)})` : ""}`);
  const text = money(fact.value, fact.unit);
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

/** Every value a fact was ever said to have: over valid time, and when each was recorded. */
async function history(id: string, property: string, why: (statement: string) => void): Promise<HTMLElement> {
  const found = await get<{ values: Value[]; truncated: boolean }>(`/v1/entities/${encodeURIComponent(id)}/history`, { ...clocks(), property });
  const last = new Map<string, Value>();
  for (const own of found.values) {
    const place = `${own.key}|${own.valid_from}`;
    const kept = last.get(place);
    if (!own.taken_back && (!kept || own.known_from > kept.known_from || (own.known_from === kept.known_from && own.published >= kept.published))) last.set(place, own);
  }
  const standing = new Set([...last.values()].map((own) => own.claim));
  const stands = (own: Value): boolean => standing.has(own.claim);
  const numbers = found.values.filter((own) => Number.isFinite(Number(own.value)) && own.value !== null && own.value !== "");
  const unit = found.values[0]?.unit ?? "";
  const points = numbers.map((own) => ({ at: own.valid_from, value: Number(own.value), past: !stands(own), title: `${cell(own.valid_from)}: ${money(own.value, own.unit)}${stands(own) ? "" : ", said otherwise since"}` }));
  const words = property.replaceAll("_", " ");
  const rows = found.values.map((own) => ({ ...own }) as Record<string, unknown>);
  const own = (row: Record<string, unknown>): Value => row as unknown as Value;
  return el(
    "section",
    { class: "history", "aria-label": `History of ${words}` },
    el("h3", {}, `History of ${words}`),
    points.length > 1 ? steps(points, unit ?? "", `${words}: each value from the day it holds; hollow: said otherwise since`) : null,
    table(
      rows,
      [
        ["value", (row) => money(own(row).value, own(row).unit)],
        ["holds from", (row) => cell(own(row).valid_from)],
        ["published", (row) => cell(own(row).published)],
        ["recorded", (row) => own(row).known_from.slice(0, 16).replace("T", " ")],
        ["state", (row) => (own(row).taken_back ? `taken back ${cell(own(row).taken_back)}` : stands(own(row)) ? "stands" : "said otherwise")],
        ["why", (row) => link("evidence", () => why(own(row).statement))],
      ],
      `Values of ${words} as recorded`,
    ),
    found.truncated ? el("p", { class: "warn" }, "These are the first 500 values.") : null,
  );
}

function start(): HTMLElement {
  const words = ["Search for a name, or take one of those at risk.", "Then click a node for its facts, an edge for its evidence. Press ? for the keys."];
  const acts = [act("Those at risk", () => set({ panel: "risk" })), act("Alerts", () => set({ panel: "alerts" })), act("Whole graph", () => set({ whole: "1", root: "", open: "" }))];
  return el("div", {}, el("h2", {}, "Where to begin"), ...words.map((line) => el("p", {}, line)), el("p", { class: "acts" }, ...acts));
}

