// The panel beside the graph: an entity, a path, a shock, a named query, or a list of what is at risk.

import { answer, get, post, sent, text, type Edge, type Entity, type Fact, type NamedQuery, type Row, type Stamp } from "./api";
import { cell, el, table } from "./dom";
import { evidence } from "./evidence";
import { clocks, ids, now, set } from "./state";

export interface Shown {
  panel: HTMLElement;
  edges?: Edge[]; // exposures or paths to mark on the canvas
  nodes?: Entity[];
  losses?: Map<string, number>;
}
type Show = () => Promise<Shown>;
/** Looks at an entity; one that is not on the canvas becomes the middle of it. */
export function go(id: string): void {
  set({ id, panel: "entity" });
}


async function entity(): Promise<Shown> {
  const { id } = now();
  if (!id) return { panel: start() };
  const own = await get<Entity & Stamp & { degree: number; facts: Fact[] }>(`/v1/entities/${encodeURIComponent(id)}`, clocks());
  const beside = el("div", { id: "evidence" });
  const why = async (statement: string): Promise<void> => beside.replaceChildren(await shown(() => evidence(statement)));
  const rows = own.facts.map((fact) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, fact.property.replaceAll("_", " "), fact.key ? el("small", {}, ` ${fact.key}`) : null),
      el("td", {}, `${cell(fact.value)} ${fact.unit ?? ""}`),
      el("td", {}, cell(fact.valid_from)),
      el("td", {}, el("button", { class: "link", type: "button", onclick: () => why(fact.statement) }, "evidence")),
    ),
  );
  const head = el("tr", {}, ...["fact", "value", "since", "why"].map((name) => el("th", { scope: "col" }, name)));
  return {
    panel: el(
      "div",
      {},
      el("h2", {}, own.name),
      el("p", { class: "fine" }, `${own.label}; ${own.id}; ${own.degree} edges`),
      el(
        "p",
        { class: "acts" },
        act("Expand", () => set({ open: [...new Set([...now().open, id])] })),
        act("Shock", () => set({ panel: "shock", shock: id })),
        act("Path from here", () => set({ panel: "path", to: "" })),
      ),
      beside,
      el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows))),
    ),
  };
}

function start(): HTMLElement {
  const words = ["Search for a name, or take one of those at risk.", "Then click an edge for its evidence."];
  return el("div", {}, el("h2", {}, "Where to begin"), ...words.map((line) => el("p", {}, line)), act("Those at risk", () => set({ panel: "risk" })));
}

async function risk(): Promise<Shown> {
  const { heat } = now();
  const found = await get<Stamp & { rows: Row[]; next_cursor: string | null }>(`/v1/scores/${heat}`, { ...clocks(), limit: 100 });
  const name = heat.replaceAll("_", " ");
  const rows = found.rows.length ? table(found.rows, ["name", "label", heat, "id"], go) : el("p", {}, `Nobody has a score ${name} at this instant.`);
  return { panel: el("div", {}, el("h2", {}, `Highest ${name}`), rows) };
}

async function path(): Promise<Shown> {
  const { id, to } = now();
  const target = el("input", { id: "to", value: to, required: true, placeholder: "Id of the other end" });
  const ask = (event: Event): void => (event.preventDefault(), set({ to: target.value.trim() }));
  const form = el("form", { onsubmit: ask }, el("label", { for: "to" }, "Path to"), target, el("button", {}, "Find"));
  const panel = el("div", {}, el("h2", {}, "Paths"), el("p", { class: "fine" }, `from ${id || "nobody: search first"}`), form);
  if (!id || !to) return { panel };
  const found = await get<{ paths: Edge[][]; nodes: Entity[]; given_up: boolean }>("/v1/paths", { ...clocks(), source: id, target: to });
  const names = new Map(found.nodes.map((node) => [node.id, node.name]));
  const lines = found.paths.map((edges) => el("li", {}, ...edges.map((edge) => hop(edge, names))));
  panel.append(lines.length ? el("ol", { class: "paths" }, ...lines) : el("p", {}, "No path of four edges or fewer."));
  if (found.given_up) panel.append(el("p", { class: "warn" }, "The search was too wide and was given up; these are not all."));
  return { panel, edges: found.paths.flat(), nodes: found.nodes };
}

function hop(edge: Edge, names: Map<string, string>): HTMLElement {
  const value = edge.value === null ? "" : `: ${cell(edge.value)} ${edge.unit ?? ""}`;
  const words = `${names.get(edge.source)} ${edge.type} ${names.get(edge.target)}${value}`;
  return el("button", { class: "link hop", type: "button", onclick: () => set({ panel: `evidence:${edge.statement}` }) }, words);
}

interface Losses extends Stamp {
  measure: string;
  unit: string;
  total: number;
  losses: Row[];
  losers: number;
  edges: Row[];
  remarks: string[];
}

async function shock(): Promise<Shown> {
  const { shock: hit, measure } = now();
  const known = await get<{ measures: Record<string, string> }>("/v1/measures");
  const who = el("input", { id: "hit", value: hit, required: true, placeholder: "Ids that fail, parted by commas" });
  const pick = el("select", { id: "measure" }, ...Object.entries(known.measures).map(([name, about]) => el("option", { value: name, title: about, selected: name === measure }, name)));
  const ask = (event: Event): void => (event.preventDefault(), set({ shock: who.value.trim(), measure: pick.value }));
  const form = el("form", { onsubmit: ask }, el("label", { for: "hit" }, "Who fails"), who, el("label", { for: "measure" }, "Measure"), pick, el("button", {}, "Run"));
  const panel = el("div", {}, el("h2", {}, "Shock"), form);
  if (!hit) return { panel };
  const found = await post<Losses>("/v1/risk", { measure, shock: Object.fromEntries(ids(hit).map((id) => [id, 1])) }, clocks());
  panel.append(
    el("p", { class: "total" }, `Loss of ${found.losers}: ${cell(found.total)} ${found.unit}`),
    ...found.remarks.map((line) => el("p", { class: "warn" }, line)),
    table(found.losses.slice(0, 50), undefined, go),
    el("h3", {}, "Exposures that carry it"),
    table(found.edges.slice(0, 50), undefined, go),
  );
  return { panel, losses: new Map(found.losses.map((row) => [String(row["id"]), Number(row["loss"])])) };
}

async function queries(): Promise<Shown> {
  const { query, given } = now();
  const found = await get<{ queries: NamedQuery[] }>("/v1/queries");
  const chosen = found.queries.find((own) => own.name === query);
  const pick = el("select", { id: "query", onchange: () => set({ query: pick.value, given: "" }) }, el("option", { value: "" }, "Choose a question"), ...found.queries.map((own) => el("option", { value: own.name, selected: own.name === query }, own.name)));
  const panel = el("div", {}, el("h2", {}, "Named queries"), el("label", { for: "query" }, "Question"), pick);
  if (!chosen) return { panel };
  const values: Record<string, string> = given ? JSON.parse(given) : {};
  const fields = chosen.parameters.map((own) => field(own.name, own.type, values[own.name] ?? (own.name === "id" ? now().id : own.default) ?? "", own.about));
  const ask = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    set({ given: JSON.stringify(Object.fromEntries([...form].filter(([, value]) => value !== ""))) });
  };
  panel.append(el("p", {}, chosen.tells), el("form", { onsubmit: ask }, ...fields, el("button", {}, "Ask")));
  if (!given) return { panel };
  const answered = await post<{ rows: Row[]; truncated: boolean }>(`/v1/queries/${query}`, values, clocks());
  const link = (form: string) => act(form, () => save(`/v1/queries/${query}${text({ ...clocks(), format: form })}`, `${query}.${form}`, values));
  panel.append(el("p", { class: "acts" }, link("csv"), link("parquet"), link("arrow")));
  panel.append(answered.rows.length ? table(answered.rows, undefined, go) : el("p", {}, "No rows at this instant."));
  if (answered.truncated) panel.append(el("p", { class: "warn" }, "More rows than may be shown; narrow the question, or raise row_limit."));
  return { panel };
}

function field(name: string, type: string, value: string, about: string): HTMLElement {
  const choices = /^choice<(.+)>$/.exec(type)?.[1]?.split("|");
  const input = choices
    ? el("select", { id: `p-${name}`, name }, ...choices.map((own) => el("option", { value: own, selected: own === value }, own)))
    : el("input", { id: `p-${name}`, name, value, type: type === "date" ? "date" : "text", placeholder: type });
  return el("div", {}, el("label", { for: `p-${name}`, title: about }, `${name.replaceAll("_", " ")}: ${about}`), input);
}

export async function save(path: string, name: string, body?: unknown): Promise<void> {
  download(await (await answer(path, body === undefined ? {} : sent(body))).blob(), name);
}

export function download(blob: Blob, name: string): void {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function act(words: string, done: () => void): HTMLElement {
  return el("button", { type: "button", onclick: done }, words);
}

/** What there is, or the problem in its own words. */
export async function shown(make: () => Promise<HTMLElement>): Promise<HTMLElement> {
  try {
    return await make();
  } catch (error) {
    return el("p", { class: "problem", role: "alert" }, error instanceof Error ? error.message : String(error));
  }
}

export const PANELS: Record<string, [string, Show]> = {
  entity: ["Entity", entity],
  risk: ["At risk", risk],
  path: ["Path", path],
  shock: ["Shock", shock],
  queries: ["Queries", queries],
};

export async function panel(): Promise<Shown> {
  const [name, statement] = now().panel.split(":", 2);
  if (name === "evidence" && statement) return { panel: await evidence(statement) };
  return (PANELS[name ?? "entity"] ?? PANELS["entity"]!)[1]();
}
