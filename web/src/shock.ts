// The panel of a shock: who fails, what it costs whom, and how that differs from before or from another shock.

import { get, named, post, type Row, type Stamp } from "./api";
import { bars, type Bar } from "./charts";
import { act, el, link, money, percent, table } from "./dom";
import { who, type Shown } from "./panel";
import { picker } from "./search";
import { clocks, earlier, now, packed, set, unpacked } from "./state";

interface Loss extends Row {
  id: string;
  name: string;
  loss: number;
}
interface Losses extends Stamp {
  unit: string;
  total: number;
  losses: Loss[];
  losers: number;
  edges: Row[];
  remarks: string[];
}

export async function shock(): Promise<Shown> {
  const { shock: hit, measure, part, against } = now();
  const ids = unpacked(hit);
  const [known, library, names] = await Promise.all([
    get<{ measures: Record<string, string> }>("/v1/measures"),
    get<{ scenarios: { name: string; narrative: string }[] }>("/v1/scenarios"),
    named([...ids, ...others(against)], clocks()),
  ]);
  const chips = ids.map((id) => el("li", {}, names.get(id) ?? id, act("×", () => set({ shock: packed(ids.filter((own) => own !== id)) }), { "aria-label": `leave ${names.get(id) ?? id} out` })));
  const pick = el("select", { id: "measure", onchange: () => set({ measure: pick.value }) }, ...Object.entries(known.measures).map(([name, about]) => el("option", { value: name, title: about, selected: name === measure }, name.replaceAll("_", " "))));
  const much = el("input", { id: "part", type: "number", min: 0, max: 100, step: "any", value: Number((Number(part) * 100).toPrecision(6)), onchange: () => partly(much.value) });
  const refused = el("p", { id: "refused", class: "problem", role: "alert", hidden: true });
  const partly = (given: string): void => {
    const own = Number(given);
    refused.hidden = own > 0 && own <= 100;
    refused.textContent = refused.hidden ? "" : `${given || "Nothing"} is no part that can fail: give per cent above 0, up to 100. The losses shown are of ${Number((Number(part) * 100).toPrecision(6))} per cent.`;
    if (refused.hidden) set({ part: String(own / 100) });
  };
  const panel = el(
    "div",
    {},
    el("h2", {}, "Shock"),
    el("p", { class: "fine" }, "Add those who fail here, or click them on the graph. Nothing is written."),
    el("ul", { class: "chips", "aria-label": "Who fails" }, ...chips),
    picker("hit", "Who fails", "", (found) => set({ shock: packed([...ids, found.id]) })),
    el("div", { class: "pair" }, el("div", {}, el("label", { for: "measure" }, "Measure"), pick), el("div", {}, el("label", { for: "part" }, "Per cent that fails"), much)),
    refused,
    el("p", { class: "fine" }, known.measures[measure] ?? ""),
    ...compared(against, library.scenarios.map((own) => own.name), names),
  );
  if (!ids.length) return { panel };
  const found = await run(ids);
  const other = await versus(against);
  panel.append(...(other ? diff(found, other, spoken(against, names)) : plain(found, ids)));
  panel.append(...found.remarks.map((line) => el("p", { class: "fine" }, line)));
  panel.append(el("h3", {}, "Exposures that carry it"), carried(found));
  return { panel, losses: new Map(found.losses.map((row) => [row.id, row.loss])), unit: found.unit, marked: found.edges.map((row) => String(row["id"])) };
}

function run(ids: string[], at: Record<string, string> = clocks()): Promise<Losses> {
  const { measure, part } = now();
  return post<Losses>("/v1/risk", { measure, shock: Object.fromEntries(ids.map((id) => [id, Number(part)])), top: 1000 }, at);
}

/** What the shock is compared with; null: with nothing. */
async function versus(against: string): Promise<Losses | null> {
  const at = earlier();
  const scenario = /^scenario:(.+)$/.exec(against)?.[1];
  if (scenario) return post<Losses>("/v1/risk", { measure: now().measure, scenario, top: 1000 }, clocks());
  if (against.startsWith("shock:") && others(against).length) return run(others(against));
  if (against === "clocks" && at) return run(unpacked(now().shock), at);
  return null;
}

function others(against: string): string[] {
  return against.startsWith("shock:") ? unpacked(against.slice(6)) : [];
}

function spoken(against: string, names: Map<string, string>): string {
  const at = earlier();
  if (against === "clocks") return `the same shock as of ${[at?.["valid"]?.slice(0, 10), at?.["known"]?.slice(0, 16)].filter(Boolean).join(", known ")}`;
  if (against.startsWith("scenario:")) return `scenario ${against.slice(9).replaceAll("_", " ")}`;
  return `the failure of ${others(against).map((id) => names.get(id) ?? id).join(", ")}`;
}

/** The choice of what to compare with. */
function compared(against: string, scenarios: string[], names: Map<string, string>): HTMLElement[] {
  const kind = against.startsWith("shock:") ? "shock:" : against;
  const choices: [string, string][] = [["", "nothing (before the shock)"], ["shock:", "another shock"], ["clocks", "the same at the left thumbs of the clocks"], ...scenarios.map((own): [string, string] => [`scenario:${own}`, `scenario ${own.replaceAll("_", " ")}`])];
  const pick = el("select", { id: "against", onchange: () => set({ against: pick.value }) }, ...choices.map(([value, words]) => el("option", { value, selected: value === kind }, words)));
  const made: HTMLElement[] = [el("div", {}, el("label", { for: "against" }, "Compare with"), pick)];
  if (kind === "shock:") {
    const own = others(against);
    made.push(el("ul", { class: "chips", "aria-label": "Who fails in the other shock" }, ...own.map((id) => el("li", {}, names.get(id) ?? id, act("×", () => set({ against: `shock:${packed(own.filter((one) => one !== id))}` }), { "aria-label": `leave ${names.get(id) ?? id} out of the other` })))));
    made.push(picker("other-hit", "Who fails in the other", "", (found) => set({ against: `shock:${packed([...own, found.id])}` })));
  }
  if (kind === "clocks" && !earlier()) made.push(el("p", { class: "warn" }, "Move the left thumb of a clock to an earlier instant."));
  return made;
}

/** How much of the loss who was shocked has, and how much the others. */
function apart(found: Losses, ids: string[]): string {
  const hit = found.losses.filter((row) => ids.includes(row.id));
  const own = hit.reduce((sum, row) => sum + row.loss, 0);
  return `Of it ${money(own, found.unit)} of who was shocked, ${money(Math.max(0, found.total - own), found.unit)} of ${found.losers - hit.length} others`;
}

function plain(found: Losses, ids: string[]): HTMLElement[] {
  const rows: Bar[] = found.losses.map((row) => ({ label: row.name, value: row.loss, title: row.name }));
  const columns = [
    ["who", (row: Row) => who(String(row["id"]), String(row["name"]))],
    ["loss", (row: Row) => money(row["loss"], found.unit)],
    ["of it direct", (row: Row) => money(row["direct"], found.unit)],
    ["equity before", (row: Row) => money(row["equity"], found.unit)],
    ["lost of equity", (row: Row) => share(row)],
  ] as [string, (row: Row) => Node | string][];
  return [
    el("p", { class: "total" }, `Loss of ${found.losers}: ${money(found.total, found.unit)}`),
    el("p", { class: "apart" }, apart(found, ids)),
    bars(rows, found.unit, "Largest losses"),
    table(found.losses.slice(0, 50), columns, "Losses against before the shock"),
  ];
}

function share(row: Row): string {
  const [loss, equity] = [Number(row["loss"]), Number(row["equity"])];
  return equity > 0 ? percent(loss / equity) : "";
}

/** Who loses more, who less, and by how much. */
function diff(found: Losses, other: Losses, against: string): HTMLElement[] {
  const there = new Map(other.losses.map((row) => [row.id, row]));
  const both = new Map([...other.losses, ...found.losses].map((row) => [row.id, row.name]));
  const here = new Map(found.losses.map((row) => [row.id, row]));
  const rows = [...both].map(([id, name]) => {
    const [a, b] = [here.get(id)?.loss ?? 0, there.get(id)?.loss ?? 0];
    return { id, name, this: a, other: b, difference: a - b };
  });
  rows.sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
  const changed = rows.filter((row) => Math.abs(row.difference) > 0.5).length;
  const total = found.total - other.total;
  const columns = [
    ["who", (row: Row) => who(String(row["id"]), String(row["name"]))],
    ["this shock", (row: Row) => money(row["this"], found.unit)],
    ["compared", (row: Row) => money(row["other"], found.unit)],
    ["difference", (row: Row) => signed(Number(row["difference"]), found.unit)],
  ] as [string, (row: Row) => Node | string][];
  return [
    el("div", { class: "tiles" }, tile("This shock", money(found.total, found.unit)), tile("Compared", money(other.total, other.unit)), tile("Difference", signed(total, found.unit))),
    el("p", {}, `Compared with ${against}: ${changed} of ${rows.length} lose a different sum.`),
    bars(rows.map((row) => ({ label: row.name, value: row.this, other: row.other })), found.unit, "Losses where they differ most; hollow: compared"),
    table(rows.slice(0, 50), columns, "Difference of the losses"),
  ];
}

function tile(words: string, value: string): HTMLElement {
  return el("div", { class: "tile" }, el("span", { class: "fine" }, words), el("strong", {}, value));
}

function signed(value: number, unit: string): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${money(Math.abs(value), unit)}`;
}

function carried(found: Losses): HTMLElement {
  const columns = [
    ["creditor", (row: Row) => who(String(row["creditor"]), String(row["creditor_name"] ?? row["creditor"]))],
    ["debtor", (row: Row) => who(String(row["debtor"]), String(row["debtor_name"] ?? row["debtor"]))],
    ["amount", (row: Row) => money(row["amount"], found.unit)],
    ["carries", (row: Row) => money(row["carried"], found.unit)],
    ["why", (row: Row) => (row["statement"] ? link("evidence", () => set({ panel: `evidence:${row["statement"]}` })) : "model")],
  ] as [string, (row: Row) => Node | string][];
  return table(found.edges.slice(0, 50), columns, "Exposures that carry the loss");
}
