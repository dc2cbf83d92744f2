// The page: the state says what to show, this asks for it and puts it on the canvas and beside it.

import { get, key, Problem, text, type Around } from "./api";
import { Canvas, FIRST } from "./canvas";
import { clocks as sliders, type Reach } from "./clocks";
import { by, cell, el } from "./dom";
import { act, download, go, PANELS, panel, save, type Shown } from "./panels";
import { gradient } from "./ramp";
import { search } from "./search";
import { clocks, now, on, set, type State } from "./state";

interface Whole extends Reach {
  scores: string[];
  commit: number;
}
const canvas = new Canvas(by("canvas"), go, (statement) => set({ panel: `evidence:${statement}` }));
let whole: Whole | null = null;
let asked = 0;
const opened = new Set<string>(); // entities whose neighbours are on the canvas

function notice(words: string): void {
  by("notice").textContent = words;
}

/** Shows the state. An answer that comes after a later question is dropped. */
async function draw(before: State | null): Promise<void> {
  const mine = ++asked;
  const { root, open, id, heat, valid, known } = now();
  const moved = before !== null && (before.valid !== valid || before.known !== known);
  if (id && !canvas.graph.hasNode(id) && root !== id && before) return set({ root: id, open: [] }, true);
  try {
    if (before?.root !== root) {
      canvas.clear();
      opened.clear();
    }
    if (moved || before?.heat !== heat) opened.clear();
    const wanted = [root, ...open].filter((own) => own && !opened.has(own));
    if (wanted.length) await fill(wanted, mine, moved);
    if (mine === asked) await beside(mine);
  } catch (error) {
    told(error);
  }
}

/** Asks for what stands around some entities; who is not there at the instant stays as a ghost. */
async function fill(wanted: string[], mine: number, moved: boolean): Promise<void> {
  const query = { ...clocks(), by: now().heat, limit: FIRST };
  const around = wanted.map((own) => get<Around>(`/v1/entities/${encodeURIComponent(own)}/neighbours`, query));
  const found = await Promise.allSettled(around);
  if (mine !== asked) return;
  const before = canvas.graph.nodes();
  const there = new Set<string>();
  let left = 0;
  if (moved) canvas.graph.clearEdges();
  for (const [at, own] of found.entries()) {
    if (own.status === "fulfilled") {
      left += canvas.add(own.value);
      for (const node of [own.value.centre, ...own.value.nodes]) there.add(node.id);
      opened.add(wanted[at]!);
    } else if (!(absent(own.reason) && canvas.graph.hasNode(wanted[at]!))) throw own.reason;
  }
  const missing = moved ? before.filter((node) => !there.has(node)) : [];
  for (const node of missing) canvas.ghost(node);
  if (canvas.graph.order > before.length) canvas.layOut();
  if (missing.length) notice(`${missing.length} of those shown are not present at this instant`);
  else notice(left ? `${left} more would not fit on the canvas` : "");
}

function absent(reason: unknown): boolean {
  return reason instanceof Problem && reason.status === 404;
}

/** An error in its own words; who has no key is shown where to give it. */
function told(error: unknown): void {
  if (error instanceof Problem && error.status === 401) by<HTMLDetailsElement>("key").open = true;
  notice(error instanceof Error ? error.message : String(error));
}

async function beside(mine: number): Promise<void> {
  let found: Shown;
  try {
    found = await panel();
  } catch (error) {
    const ghost = canvas.graph.hasNode(now().id) && absent(error);
    const words = ghost ? `${canvas.graph.getNodeAttribute(now().id, "name")} is not present at this instant.` : "";
    found = { panel: el("p", { class: "problem", role: "alert" }, words || (error instanceof Error ? error.message : String(error))) };
    if (ghost) canvas.ghost(now().id);
  }
  if (mine !== asked) return;
  by("panel").replaceChildren(found.panel);
  for (const node of found.nodes ?? []) canvas.add({ centre: node, nodes: found.nodes ?? [], edges: found.edges ?? [], more: 0, ...STAMP });
  canvas.mark(new Set((found.edges ?? []).map((edge) => edge.id)));
  await heat(found.losses ?? null);
  list();
  if (now().id) canvas.centre(now().id);
}
const STAMP = { at: { valid: "", known: "", published: "" }, commit: 0, ledger: "" };

/** Colours by the losses of a shock where one is shown, else by the score chosen. */
async function heat(losses: Map<string, number> | null): Promise<void> {
  const name = now().heat;
  let scores = losses;
  if (!scores) {
    const own = canvas.graph.mapNodes((id, node) => [id, node["score"]] as const);
    scores = new Map(own.filter((pair): pair is [string, number] => typeof pair[1] === "number"));
  }
  const most = canvas.recolour(name, scores, now().id);
  const pick = el("select", { "aria-label": "Colour by", onchange: (event: Event) => set({ heat: (event.target as HTMLSelectElement).value }) }, ...(whole?.scores ?? [name]).map((own) => el("option", { value: own, selected: own === name }, own.replaceAll("_", " "))));
  const ramp = el("span", { class: "ramp", style: `background: ${gradient()}` });
  const words = losses ? el("span", {}, "loss") : pick;
  by("legend").replaceChildren(words, el("span", {}, "0"), ramp, el("span", {}, cell(most)), el("span", { class: "unknown" }), el("span", {}, "no value"), ...exports());
}

function exports(): HTMLElement[] {
  const { id, heat: score } = now();
  const table = (form: string) => save(`/v1/scores/${score}${text({ ...clocks(), limit: 500, format: form })}`, `${score}.${form}`);
  return [
    act("PNG", async () => download(await canvas.picture(), `${id || "graph"}.png`)),
    act("CSV", () => table("csv")),
    act("Parquet", () => table("parquet")),
    act("Link", () => void navigator.clipboard?.writeText(location.href).then(() => notice("The link to this view is copied"))),
  ];
}

/** The same nodes as a list: for the keyboard, for screen readers and for a narrow screen. */
function list(): void {
  const nodes = canvas.graph.mapNodes((id, own) => ({ id, name: String(own["name"]), ghost: Boolean(own["ghost"]) }));
  nodes.sort((a, b) => a.name.localeCompare(b.name));
  const rows = nodes.slice(0, FIRST).map((node) =>
    el("li", {}, el("button", { class: node.ghost ? "link ghost" : "link", type: "button", "aria-current": node.id === now().id, onclick: () => set({ id: node.id, panel: "entity" }) }, node.name)),
  );
  by("shown").replaceChildren(...rows);
}

function tabs(): void {
  const own = now().panel.split(":")[0];
  const made = Object.entries(PANELS).map(([name, [words]]) => el("button", { type: "button", "aria-pressed": name === own, onclick: () => set({ panel: name }) }, words));
  by("tabs").replaceChildren(...made);
}

async function begin(): Promise<void> {
  const given = by<HTMLInputElement>("given");
  given.value = key.get();
  given.addEventListener("change", () => {
    key.set(given.value.trim());
    void begin();
  });
  try {
    whole = await get<Whole>("/v1/graph");
    sliders(whole);
  } catch (error) {
    return told(error);
  }
  tabs();
  await draw(null);
  document.body.dataset["ready"] = "true";
}

on((_, before) => {
  tabs();
  void draw(before);
});
search();
void begin();
