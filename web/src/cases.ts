// Alerts, and the cases that are made of them: notes, state, and the evidence to take away.

import { file, get, named, post, type Alert, type Case, type Item } from "./api";
import { act, cell, download, el, link, table } from "./dom";
import { isId, who, type Shown } from "./panel";
import { notice } from "./taken";
import { clocks, now, packed, set, unpacked } from "./state";

const KINDS: [string, string][] = [["", "all"], ["warning", "early warnings"], ["finding", "findings of patterns"], ["laundering", "suspected payments"], ["link", "expected links"]];

export async function alerts(): Promise<Shown> {
  const { kind } = now();
  const ask = (cursor: string) => get<{ rows: Alert[]; total: number; next_cursor: string | null }>("/v1/alerts", { ...clocks(), kind, limit: 100, cursor });
  let found = await ask("");
  const pick = el("select", { id: "kind", onchange: () => set({ kind: pick.value }) }, ...KINDS.map(([value, words]) => el("option", { value, selected: value === kind }, words)));
  const rows = found.rows.map((own) => ({ ...own }));
  const open = (own: Alert): void => set({ panel: "cases", case: "", about: packed([own.subject, own.id, ...own.edges].slice(0, 100)) });
  const list = () => table(
    rows,
    [
      ["kind", (row) => String(row["kind"])],
      ["who, and what is said", (row) => el("span", {}, who(String(row["subject"]), String(row["name"])), el("br"), `${row["says"]}; since ${cell(row["since"])} `, link("evidence", () => set({ panel: `evidence:${row["id"]}` }), { "aria-label": `evidence: ${row["name"]}, ${row["says"]}` }))],
      ["score", (row) => cell(row["score"])],
      ["case", (row) => act("Open case", () => open(row as unknown as Alert), { "aria-label": `Open a case on ${row["name"]}: ${row["says"]}` })],
    ],
    `${rows.length} of ${found.total} alerts, the best of each kind first`,
  );
  const whole = el("div", {});
  const further = async (): Promise<void> => {
    try {
      found = await ask(found.next_cursor ?? "");
      rows.push(...found.rows.map((own) => ({ ...own })));
      draw();
    } catch (error) {
      notice(error instanceof Error ? error.message : String(error), true);
    }
  };
  const draw = (): void => whole.replaceChildren(list(), ...(found.next_cursor ? [act(`${Math.min(100, found.total - rows.length)} of ${found.total - rows.length} more`, further)] : []));
  draw();
  const none = el("p", {}, "No alert at this instant. They come from `kgrisk warn --publish`, `kgrisk patterns --save` and `kgrisk train`.");
  return { panel: el("div", {}, el("h2", {}, "Alerts"), el("label", { for: "kind" }, "Kind"), pick, rows.length ? whole : none) };
}

export async function cases(): Promise<Shown> {
  const { case: id, about } = now();
  if (about) return { panel: await beginning(unpacked(about)) };
  if (id) return one(id);
  const found = await get<{ rows: Case[] }>("/v1/cases");
  const rows = found.rows.map((own) => ({ ...own }) as Record<string, unknown>);
  const columns = [["title", (row: Record<string, unknown>) => link(String(row["title"]), () => set({ case: String(row["id"]) }))], "state", "by", ["changed", (row: Record<string, unknown>) => cell(row["changed"])], ["holds", (row: Record<string, unknown>) => `${row["items"]} things, ${row["notes"]} notes`]] as Parameters<typeof table>[1];
  const none = el("p", {}, "No case yet. Open one from an alert, an entity or a piece of evidence.");
  return { panel: el("div", {}, el("h2", {}, "Cases"), rows.length ? table(rows, columns, "Cases") : none) };
}

/** A new case about some things, or one that is open takes them. */
async function beginning(items: string[]): Promise<HTMLElement> {
  const [found, names] = await Promise.all([get<{ rows: Case[] }>("/v1/cases"), named(items.filter(isId), clocks())]);
  const title = el("input", { id: "title", required: true, maxlength: 300, value: names.size ? `On ${[...names.values()][0]}` : "" });
  const why = el("input", { id: "why", maxlength: 300, placeholder: "Why it is worth a look" });
  const go = async (ask: () => Promise<Case>): Promise<void> => {
    try {
      set({ about: "", case: (await ask()).id });
    } catch (error) {
      notice(error instanceof Error ? error.message : String(error), true);
    }
  };
  const body = (): Record<string, unknown> => ({ items, why: why.value });
  const begin = (event: Event): void => {
    event.preventDefault();
    void go(() => post<Case>("/v1/cases", { title: title.value, ...body() }, clocks()));
  };
  const open = found.rows.filter((own) => own.state === "open");
  const adds = open.map((own) => el("li", {}, act(`Add to “${own.title}”`, () => go(() => post<Case>(`/v1/cases/${own.id}/items`, body(), clocks())))));
  return el(
    "div",
    {},
    el("h2", {}, "Open a case"),
    el("ul", {}, ...items.slice(0, 12).map((own: string) => el("li", {}, thing(own, names)))),
    items.length > 12 ? el("p", { class: "fine" }, `and ${items.length - 12} more`) : null,
    el("form", { class: "asked", onsubmit: begin }, el("div", {}, el("label", { for: "title" }, "Title"), title), el("div", {}, el("label", { for: "why" }, "Why"), why), el("button", {}, "Open the case")),
    adds.length ? el("h3", {}, "Or add to one that is open") : null,
    el("ul", { class: "plain" }, ...adds),
    act("Leave it", () => set({ about: "" })),
  );
}

/** An entity under its name, or a way to the evidence of a statement. */
function thing(what: string, names: Map<string, string>): HTMLElement {
  const entity: boolean = isId(what);
  return entity ? who(what, names.get(what)) : link(`statement ${what.slice(0, 8)}`, () => set({ panel: `evidence:${what}` }));
}

async function one(id: string): Promise<Shown> {
  const found = await get<Case>(`/v1/cases/${id}`);
  const names = await named(found.items.map((own) => own.what).filter(isId), clocks());
  const said = el("textarea", { id: "said", rows: 3, maxlength: 20000 });
  const again = async (path: string): Promise<void> => {
    if (!said.value.trim()) return notice("Write the note or reason first.", true);
    try {
      await post(`/v1/cases/${id}/${path}`, { text: said.value });
      set({ case: id }, true);
    } catch (error) {
      notice(error instanceof Error ? error.message : String(error), true);
    }
  };
  const things = found.items.map((own) => ({ ...own }) as unknown as Record<string, unknown>);
  const item = (row: Record<string, unknown>): Item => row as unknown as Item;
  const closed = found.state === "closed";
  const acts = closed ? [act("Reopen", () => again("reopen"))] : [act("Add note", () => again("notes")), act("Close case", () => again("close"))];
  const panel = el(
    "div",
    { class: "case" },
    el("h2", {}, found.title),
    el("p", { class: "fine" }, `case ${found.id}; ${found.state}; opened by ${found.by}, ${cell(found.opened)}`),
    el("p", { class: "acts" }, act("Evidence pack", async () => download(await file(`/v1/cases/${id}/pack`), `case-${id}.zip`)), act("All cases", () => set({ case: "" }))),
    table(
      things,
      [
        ["what", (row) => thing(item(row).what, names)],
        ["why", (row) => item(row).why],
        ["as of", (row) => cell(item(row).valid) || "its opening"],
      ],
      "What it is about",
    ),
    el("h3", {}, "What was done"),
    el("ol", { class: "entries" }, ...found.entries.map((own) => el("li", {}, el("span", { class: "fine" }, `${own.at.slice(0, 16).replace("T", " ")} ${own.by}, ${own.act}`), own.text ? el("p", {}, own.text) : el("p", {}, `${own.items.length} things added`)))),
    el("label", { for: "said" }, closed ? "Why it is taken up again" : "Note, or reason of closing"),
    said,
    el("p", { class: "acts" }, ...acts),
  );
  return { panel };
}
