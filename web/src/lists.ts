// Lists: who is at risk, and the nodes and edges of the canvas as tables.

import { file, get, post, text, type Entity, type Row, type Stamp } from "./api";
import { bars } from "./charts";
import { act, cell, download, el, link, money, percent, table } from "./dom";
import { who, type Shown } from "./panel";
import { clocks, now, set } from "./state";

/** Scores that are probabilities are told in per cent everywhere; others have no unit. */
export function score(name: string, value: unknown): string {
  return /^(distress|laundering)/.test(name) && value !== null && value !== undefined ? percent(value) : cell(value);
}

export async function risk(): Promise<Shown> {
  const { heat } = now();
  const found = await get<Stamp & { rows: Row[] }>(`/v1/scores/${heat}`, { ...clocks(), limit: 100 });
  const name = heat.replaceAll("_", " ");
  const panel = el("div", {}, el("h2", {}, `Highest ${name}`));
  if (!found.rows.length) panel.append(el("p", {}, `Nobody has a score ${name} at this instant.`));
  else {
    const save = (form: string) => act(form.toUpperCase(), async () => download(await file(`/v1/scores/${heat}${text({ ...clocks(), limit: 500, format: form })}`), `${heat}.${form}`));
    const rows = found.rows.map((row) => ({ label: String(row["name"]), value: Number(row[heat]) }));
    const columns = [["name", (row: Row) => who(String(row["id"]), String(row["name"]))], "label", [name, (row: Row) => score(heat, row[heat])], ["why", (row: Row) => link("evidence", () => set({ panel: `evidence:${heat}:${row["id"]}` }))]] as Parameters<typeof table>[1];
    panel.append(el("p", { class: "acts" }, save("csv"), save("parquet")), bars(rows, "", `Highest ${name}`, (value) => score(heat, value)), table(found.rows, columns, `${found.rows.length} entities`));
  }
  return { panel };
}

let shownIds: () => string[] = () => [];

/** Where the table takes the entities of the canvas from. */
export function showing(ids: () => string[]): void {
  shownIds = ids;
}

/** Nodes and edges of the canvas, to read and to take away. */
export async function data(): Promise<Shown> {
  const ids = shownIds();
  const asked = { ids, by: now().heat };
  const panel = el("div", {}, el("h2", {}, "Table"), el("p", { class: "fine" }, `The ${ids.length} entities on the canvas and the edges between them.`));
  if (!ids.length) return { panel };
  const [nodes, edges] = await Promise.all(["nodes", "edges"].map((part) => post<{ rows: Row[] }>(`/v1/subgraph/${part}`, asked, clocks())));
  const save = (part: string, form: string) => act(`${part} ${form}`, async () => download(await file(`/v1/subgraph/${part}${text({ ...clocks(), format: form })}`, asked), `${part}.${form}`));
  panel.append(
    el("p", { class: "acts" }, ...["nodes", "edges"].flatMap((part) => ["csv", "parquet", "arrow"].map((form) => save(part, form)))),
    table(nodes!.rows.slice(0, 300), [["name", (row) => who(String(row["id"]), String((row as Entity)["name"]))], "label", "edges", [now().heat, (row) => score(now().heat, row[now().heat])]], `${nodes!.rows.length} entities`),
    table(
      edges!.rows.slice(0, 300),
      [
        ["source", (row) => who(String(row["source"]), String(row["source_name"]))],
        "type",
        ["target", (row) => who(String(row["target"]), String(row["target_name"]))],
        ["value", (row) => money(row["value"], row["unit"] as string | null)],
        ["since", (row) => cell(row["valid_from"])],
        ["why", (row) => link("evidence", () => set({ panel: `evidence:${row["statement"]}` }))],
      ],
      `${edges!.rows.length} edges`,
    ),
  );
  return { panel };
}
