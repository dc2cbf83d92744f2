// The page: the state says what to show, this asks for it and puts it on the canvas and beside it.

import { get, key, Problem, type Around, type Edge, type Whole } from "./api";
import { Canvas } from "./canvas";
import { clocks as sliders, type Reach } from "./clocks";
import { act, by, el, money, short } from "./dom";
import { keys } from "./keys";
import { score, showing } from "./lists";
import type { Shown } from "./panel";
import { PANELS, panel } from "./panels";
import { gradient } from "./ramp";
import { search } from "./search";
import { clocks, earlier, FIRST, now, on, opened, opening, packed, set, STEP, unpacked, type State } from "./state";
import { exports, notice, saved, stateOf } from "./taken";

interface Reaching extends Reach {
  scores: string[];
  commit: number;
}
const UNSCORED = /^(run|run_\w+|alarm|finding_edge)$/; // numbers of runs, no scores of anybody
const END = /_(low|high)$/; // ends of the range of a score
const canvas = new Canvas(by("canvas"), picked, (statement) => set({ panel: `evidence:${statement}` }));
let reach: Reaching | null = null;
let asked = 0;
let revealed = false; // a tab was taken: its panel is to be seen
const filled = new Map<string, number>(); // entities whose neighbours are on the canvas, and how many at most

/** A click on a node looks at it; in the panel of shocks it takes it in or leaves it out. */
function picked(id: string): void {
  if (now().panel !== "shock") return set({ id, panel: "entity" });
  const hit = unpacked(now().shock);
  set({ shock: packed(hit.includes(id) ? hit.filter((own) => own !== id) : [...hit, id]) });
}

/** Shows the state. An answer that comes after a later question is dropped. */
async function draw(before: State | null): Promise<void> {
  const mine = ++asked;
  document.body.dataset["busy"] = "true";
  const { root, id, heat, whole } = now();
  const moved = before !== null && (["valid", "known", "since", "knownsince"] as const).some((own) => before[own] !== now()[own]);
  if (id && !canvas.graph.hasNode(id) && root !== id && before && !opened().has(id)) return set({ root: id, open: "", whole: "" }, true);
  try {
    if (before?.root !== root || before?.whole !== whole) {
      canvas.clear();
      filled.clear();
    }
    if (moved || before?.heat !== heat) filled.clear();
    if (whole) await everything(mine, moved);
    else await fill(mine, moved, before);
    if (mine === asked) await beside(mine);
    if (mine === asked && (revealed || (before?.panel ?? "entity") !== now().panel)) reveal();
  } catch (error) {
    told(error);
  }
  if (mine === asked) document.body.dataset["busy"] = "false";
}

/** The whole graph, laid out by the server; as much as a canvas takes. */
async function everything(mine: number, moved: boolean): Promise<void> {
  if (canvas.graph.order && !moved && filled.size) return;
  const found = await get<Whole>("/v1/subgraph", { ...clocks(), by: now().heat });
  if (mine !== asked) return;
  if (moved) canvas.clear();
  canvas.fill(found);
  filled.set("", found.nodes.length);
  notice(found.more ? `${found.more} more entities would not fit on the canvas; these have the highest scores or most edges` : `${found.nodes.length} entities, ${found.edges.length} edges`);
}

/** Asks for what stands around some entities; who is not there at the instant stays as a ghost. */
async function fill(mine: number, moved: boolean, state: State | null): Promise<void> {
  const asks = new Map([...(now().root ? [[now().root, opened().get(now().root) ?? FIRST] as const] : []), ...opened()]);
  const wanted = [...asks].filter(([own, most]) => (filled.get(own) ?? -1) < most);
  if (!wanted.length) return;
  const ask = (own: string, most: number, at: Record<string, string>) => get<Around>(`/v1/entities/${encodeURIComponent(own)}/neighbours`, { ...at, by: now().heat, limit: Math.min(500, most) });
  const found = await Promise.allSettled(wanted.map(([own, most]) => ask(own, most, clocks())));
  const then = earlier();
  const former = then ? await Promise.allSettled(wanted.map(([own, most]) => ask(own, most, then))) : [];
  if (mine !== asked) return;
  const before = canvas.graph.nodes();
  const there = new Set<string>();
  let left = 0;
  if (moved) canvas.graph.clearEdges();
  for (const [at, own] of found.entries()) {
    const [id, most] = wanted[at]!;
    if (own.status === "fulfilled") {
      left += canvas.add(own.value);
      for (const node of [own.value.centre, ...own.value.nodes]) there.add(node.id);
      filled.set(id, most);
    } else if (!(absent(own.reason) && (canvas.graph.hasNode(id) || former.some((one) => one.status === "fulfilled")))) throw own.reason;
  }
  const missing = moved ? before.filter((node) => !there.has(node)) : [];
  for (const node of missing) canvas.ghost(node);
  const changes = then ? changed(found, former, there) : "";
  if (canvas.graph.order > before.length) canvas.layOut();
  const at = now().valid.slice(0, 10) || "this instant";
  notice([missing.length ? `${missing.length} of those shown are not present at ${at}` : "", changes, left ? `${left} more would not fit on the canvas` : "", state && state.open !== now().open && !moved && canvas.graph.order === before.length ? nothing(wanted.at(-1)![0]) : ""].filter(Boolean).join("; "));
}

/** What to say where an expansion brought nobody. */
function nothing(id: string): string {
  const name = canvas.graph.hasNode(id) ? short(String(canvas.graph.getNodeAttribute(id, "name"))) : id;
  const more = canvas.graph.hasNode(id) ? Number(canvas.graph.getNodeAttribute(id, "more") ?? 0) : 0;
  return more ? `${more} more neighbours of ${name} are not shown: 500 of one entity are the most` : `Nothing is left to expand: all neighbours of ${name} are shown`;
}

/** Where the panel stands below the graph, the reader is brought to it. */
function reveal(): void {
  revealed = false;
  if (matchMedia("(max-width: 800px)").matches) by("panel").scrollIntoView({ block: "start" });
}

/** Marks what came since the lower thumbs and what went; what went stays as a ghost. */
function changed(found: PromiseSettledResult<Around>[], former: PromiseSettledResult<Around>[], there: Set<string>): string {
  const edges = (all: PromiseSettledResult<Around>[]): Edge[] => all.flatMap((own) => (own.status === "fulfilled" ? own.value.edges : []));
  const [after, before] = [edges(found), edges(former)];
  const [here, then] = [new Set(after.map((own) => own.id)), new Set(before.map((own) => own.id))];
  for (const own of former) {
    if (own.status !== "fulfilled") continue;
    canvas.add({ ...own.value, nodes: own.value.nodes.filter((node) => !canvas.graph.hasNode(node.id)), edges: [] });
    for (const node of [own.value.centre, ...own.value.nodes]) if (!there.has(node.id)) canvas.ghost(node.id);
  }
  const fresh = [...here].filter((id) => !then.has(id));
  const gone = before.filter((own) => !here.has(own.id));
  canvas.changed(new Set(fresh), gone);
  return `${fresh.length} edges are new since the left thumbs (blue), ${gone.length} are gone (pale red)`;
}

function absent(reason: unknown): boolean {
  return reason instanceof Problem && reason.status === 404;
}

/** An error in its own words; who has no key is shown where to give it. */
function told(error: unknown): void {
  if (error instanceof Problem && error.status === 401) by<HTMLDetailsElement>("key").open = true;
  notice(error instanceof Error ? error.message : String(error), true);
}

async function beside(mine: number): Promise<void> {
  let found: Shown;
  try {
    found = await panel();
  } catch (error) {
    const ghost = canvas.graph.hasNode(now().id) && absent(error);
    const at = now().valid.slice(0, 10) || "this instant";
    const words = ghost ? `${canvas.graph.getNodeAttribute(now().id, "name")} is not present at ${at}.` : "";
    found = { panel: el("p", { class: "problem", role: "alert" }, words || (error instanceof Error ? error.message : String(error))) };
    if (ghost) canvas.ghost(now().id);
  }
  if (mine !== asked) return;
  by("panel").replaceChildren(found.panel);
  for (const node of found.nodes ?? []) canvas.add({ centre: node, nodes: found.nodes ?? [], edges: found.edges ?? [], more: 0 });
  heat(found, new Set([...(found.marked ?? []), ...(found.edges ?? []).map((edge) => edge.id)]));
  list();
  if (now().id && !restoring) canvas.centre(now().id);
  title();
}

function title(): void {
  const { id, panel: open } = now();
  const name = id && canvas.graph.hasNode(id) ? String(canvas.graph.getNodeAttribute(id, "name")) : "";
  document.title = [name, PANELS[open]?.[0], "kgrisk"].filter(Boolean).join(" · ");
}

/** Colours by the losses of a shock where one is shown, else by the score chosen. */
function heat(shown: Shown, marked: Set<string>): void {
  const name = now().heat;
  const losses = shown.losses ?? null;
  let scores = losses;
  if (!scores) {
    const own = canvas.graph.mapNodes((id, node) => [id, node["score"]] as const);
    scores = new Map(own.filter((pair): pair is [string, number] => typeof pair[1] === "number"));
  }
  const most = canvas.recolour(name, scores, now().id, marked);
  const choices = (reach?.scores ?? [name]).filter((own) => !UNSCORED.test(own) && !END.test(own));
  const pick = el("select", { "aria-label": "Colour by", onchange: () => set({ heat: pick.value }) }, ...choices.map((own) => el("option", { value: own, selected: own === name }, own.replaceAll("_", " "))));
  const ramp = el("span", { class: "ramp", role: "img", "aria-label": "from dark blue, low, to yellow, high", style: `background: ${gradient()}` });
  const scale = el("span", { class: "scale" }, losses ? word("loss") : pick, word("0"), ramp, word(losses ? money(most, shown.unit) : score(name, most)), el("span", { class: "unknown" }), word("no value"));
  document.body.dataset["empty"] = String(!canvas.graph.order);
  by("legend").hidden = !canvas.graph.order;
  by("legend").replaceChildren(scale, ...more(), exports(canvas));
}

function word(text: string): HTMLElement {
  return el("span", {}, text);
}

/** What would show more: of the entity that is looked at or in the middle, and the whole graph. */
function more(): HTMLElement[] {
  const { id, root, whole } = now();
  const of = canvas.graph.hasNode(id) && canvas.graph.getNodeAttribute(id, "more") ? id : root;
  const count = canvas.graph.hasNode(of) ? Number(canvas.graph.getNodeAttribute(of, "more") ?? 0) : 0;
  const next = Math.min(500, (filled.get(of) ?? 0) + STEP);
  const made = count && next > (filled.get(of) ?? 0) ? [act(`${Math.min(STEP, count)} of ${count} more`, () => set({ open: opening(of, next) }), { title: `Neighbours of ${canvas.graph.getNodeAttribute(of, "name")} that are not shown` })] : [];
  if (!whole) made.push(act("Whole graph", () => set({ whole: "1", root: "", open: "" })));
  return made;
}

/** The same nodes as a list: for the keyboard, for screen readers and for a narrow screen. */
function list(): void {
  const nodes = canvas.graph.mapNodes((id, own) => ({ id, name: String(own["name"]), ghost: Boolean(own["ghost"]) }));
  nodes.sort((a, b) => a.name.localeCompare(b.name));
  const rows = nodes.slice(0, FIRST).map((node) => {
    const words = node.ghost ? `${short(node.name)} (not present)` : short(node.name);
    return el("li", {}, el("button", { class: node.ghost ? "link ghost" : "link", type: "button", "aria-current": String(node.id === now().id), onclick: () => set({ id: node.id, panel: "entity" }) }, words));
  });
  by("shown").replaceChildren(...rows);
  by("count").textContent = `${canvas.graph.order} entities shown`;
}

function tabs(): void {
  const own = now().panel.split(":")[0];
  const made = Object.entries(PANELS).map(([name, [words]]) => act(words, () => ((revealed = true), set({ panel: name })), { "aria-pressed": String(name === own) }));
  by("tabs").replaceChildren(...made);
}

let restoring = false;

/** A saved view: its state, then where its nodes lay and where the camera stood. */
async function restored(): Promise<boolean> {
  const view = await saved();
  if (!view) return false;
  restoring = true;
  set(stateOf(view), true);
  await idle();
  canvas.restore(view.positions, view.camera);
  restoring = false;
  return true;
}

async function idle(): Promise<void> {
  do await new Promise((done) => setTimeout(done, 30));
  while (document.body.dataset["busy"] === "true");
}

async function begin(): Promise<void> {
  document.body.dataset["busy"] = "true";
  try {
    reach = await get<Reaching>("/v1/graph");
    sliders(reach);
    tabs();
    if (!(await restored())) await draw(null);
  } catch (error) {
    tabs();
    told(error);
  }
  document.body.dataset["ready"] = "true";
}

const given = by<HTMLInputElement>("given");
given.value = key.get();
given.addEventListener("change", () => {
  key.set(given.value.trim());
  void begin();
});
on((_, before) => {
  tabs();
  void draw(before);
});
showing(() => canvas.graph.nodes());
search();
keys(canvas);
Object.assign(window, { kgrisk: { where: (id: string) => canvas.where(id), edges: () => canvas.graph.size, nodes: () => canvas.graph.order } });
void begin();
