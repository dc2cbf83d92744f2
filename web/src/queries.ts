// The panel of named queries: a form made from the typed parameters, the rows, and a chart of them.

import { file, get, named, post, text, type NamedQuery, type Parameter, type Row } from "./api";
import { chartOf } from "./charts";
import { act, cell, download, el, link, money, table } from "./dom";
import { isId, who, type Shown } from "./panel";
import { copied } from "./taken";
import { clocks, now, set } from "./state";

export async function queries(): Promise<Shown> {
  const { query, given } = now();
  const found = await get<{ queries: NamedQuery[] }>("/v1/queries");
  const chosen = found.queries.find((own) => own.name === query);
  const pick = el("select", { id: "query", onchange: () => set({ query: pick.value, given: "" }) }, el("option", { value: "" }, "Choose a question"), ...found.queries.map((own) => el("option", { value: own.name, selected: own.name === query }, own.name.replaceAll("_", " "))));
  const panel = el("div", {}, el("h2", {}, "Named queries"), el("label", { for: "query" }, "Question"), pick);
  if (!chosen) return { panel };
  const values: Record<string, string> = given ? JSON.parse(given) : {};
  const ask = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    set({ given: JSON.stringify(Object.fromEntries([...form].filter(([, value]) => value !== ""))) });
  };
  panel.append(el("p", {}, chosen.tells), el("form", { class: "asked", onsubmit: ask }, ...chosen.parameters.map((own) => field(own, values)), el("button", {}, "Ask")));
  if (given) panel.append(...(await answered(chosen, values)));
  return { panel };
}

async function answered(chosen: NamedQuery, values: Record<string, string>): Promise<HTMLElement[]> {
  const query = chosen.name;
  const unit = values["currency"] ?? chosen.parameters.find((own) => own.name === "currency")?.default ?? "";
  const found = await post<{ rows: Row[]; truncated: boolean; remarks?: string[] }>(`/v1/queries/${query}`, values, clocks());
  const save = (form: string) => act(form, async () => download(await file(`/v1/queries/${query}${text({ ...clocks(), format: form })}`, values), `${query}.${form}`));
  const cypher = act("Copy as Cypher", async () => copied((await post<{ cypher: string }>(`/v1/queries/${query}/cypher`, values, clocks())).cypher));
  const acts = el("p", { class: "acts" }, save("csv"), save("parquet"), save("arrow"), cypher);
  if (!found.rows.length) return [acts, el("p", {}, "No rows at this instant."), ...(found.remarks ?? []).map((line) => el("p", { class: "warn", role: "alert" }, `${line}.`))];
  const names = await named(found.rows.flatMap((row) => Object.values(row)).filter(isId), clocks());
  const chart = chartOf(found.rows, names, unit);
  const made = [acts, ...(chart ? [chart] : []), table(found.rows.slice(0, 500), columns(found.rows, names, unit), `${found.rows.length} rows`)];
  if (found.truncated) made.push(el("p", { class: "warn" }, "More rows than may be shown; narrow the question, or raise row_limit."));
  return made;
}

/** Ids under their names, statements as ways to evidence, sums in units instead of minor ones. */
function columns(rows: Row[], names: Map<string, string>, unit: string): [string, (row: Row) => Node | string][] {
  return Object.keys(rows[0]!).map((name) => [name.replace(/_minor$/, ""), (row) => shownAs(name, row, names, unit)]);
}

function shownAs(name: string, row: Row, names: Map<string, string>, unit: string): Node | string {
  const value = row[name];
  if (isId(value)) return who(value, names.get(value));
  if (/^(statement|edge|said)$/.test(name) && typeof value === "string" && /^[0-9a-f]{32}$/.test(value)) return link("evidence", () => set({ panel: `evidence:${value}` }), { title: value });
  const currency = String(row["currency"] ?? unit);
  if (name.endsWith("_minor") && value !== null && /^[A-Z]{3}$/.test(currency)) {
    const digits = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
    return money(Number(value) / 10 ** digits, currency);
  }
  return cell(value);
}

function field(own: Parameter, values: Record<string, string>): HTMLElement {
  const value = values[own.name] ?? (own.name === "id" ? now().id : own.default) ?? "";
  const choices = /^choice<(.+)>$/.exec(own.type)?.[1]?.split("|");
  const name = `p-${own.name}`;
  const type = own.type === "date" ? "date" : "text";
  const input = choices
    ? el("select", { id: name, name: own.name }, ...choices.map((one) => el("option", { value: one, selected: one === value }, one)))
    : el("input", { id: name, name: own.name, value, type, placeholder: own.type });
  return el("div", {}, el("label", { for: name }, `${own.name.replaceAll("_", " ")}: ${own.about}`), input);
}
