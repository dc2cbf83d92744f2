// What is taken away from the page: pictures, tables, links, Cypher, saved views.

import { file, get, post, text } from "./api";
import type { Canvas } from "./canvas";
import { act, by, download, el } from "./dom";
import { clocks, EMPTY, fragment, now, type State } from "./state";

/** What the page has to say; a fault stands out. */
export function notice(words: string, fault = false): void {
  by("notice").textContent = words;
  by("notice").className = fault ? "fault" : "";
}

/** Puts text into the clipboard; where the browser forbids that, it stands ready to be copied by hand. */
export async function copied(words: string, said = "Copied"): Promise<void> {
  const box = by<HTMLTextAreaElement>("copied");
  box.value = words;
  try {
    await navigator.clipboard.writeText(words);
    notice(`${said}.`);
  } catch {
    by<HTMLDialogElement>("copying").showModal();
    box.select();
  }
}

export function exports(canvas: Canvas): HTMLElement {
  const shown = (part: string, form: string) => async () =>
    download(await file(`/v1/subgraph/${part}${text({ ...clocks(), format: form })}`, { ids: canvas.graph.nodes(), by: now().heat }), `${part}.${form}`);
  const cypher = async (): Promise<void> => {
    const { id, root } = now();
    const of = id || root;
    if (!of) return notice("Look at an entity first: its neighbourhood is copied.", true);
    await copied((await get<{ cypher: string }>(`/v1/entities/${encodeURIComponent(of)}/cypher`, clocks())).cypher, "The neighbourhood is copied as Cypher");
  };
  return el(
    "span",
    { class: "acts", role: "group", "aria-label": "Take away" },
    act("PNG", async () => download(await canvas.picture(), `${now().id || "graph"}.png`)),
    act("CSV", shown("edges", "csv"), { title: "The edges shown" }),
    act("Parquet", shown("edges", "parquet"), { title: "The edges shown" }),
    act("Cypher", cypher, { title: "Copy the neighbourhood as Cypher" }),
    act("Link", () => copied(location.href, "The link to this view is copied")),
    act("Save view", () => save(canvas), { title: "Keep positions, filters and camera under a link" }),
  );
}

interface Saved {
  id: string;
  title: string;
  state: Record<string, string>;
  positions: Record<string, [number, number]>;
  camera: { x: number; y: number; ratio: number; angle: number };
}

async function save(canvas: Canvas): Promise<void> {
  const { x, y, ratio, angle } = canvas.sigma.getCamera().getState();
  const state = Object.fromEntries(new URLSearchParams(fragment()));
  const kept = await post<{ id: string }>("/v1/views", { title: document.title, state, positions: canvas.places(), camera: { x, y, ratio, angle } });
  await copied(`${location.origin}${location.pathname}?view=${kept.id}`, `The view is saved as ${kept.id}; its link is copied`);
}

/** The saved view that the address names. */
export async function saved(): Promise<Saved | null> {
  const id = new URLSearchParams(location.search).get("view");
  return id ? get<Saved>(`/v1/views/${encodeURIComponent(id)}`) : null;
}

export function stateOf(view: Saved): State {
  return { ...EMPTY, ...view.state };
}
