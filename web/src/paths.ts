// The panel of paths: how two entities hang together, edge by edge, with the money each edge carries.

import { get, type Edge, type Entity } from "./api";
import { el, link, money } from "./dom";
import { who, type Shown } from "./panel";
import { picker } from "./search";
import { clocks, now, set } from "./state";

export async function path(): Promise<Shown> {
  const { id, to } = now();
  const panel = el("div", {}, el("h2", {}, "Paths"));
  if (!id) {
    panel.append(picker("from", "From", "", (hit) => set({ root: hit.id, id: hit.id, open: "", panel: "path" })));
    return { panel };
  }
  const names = new Map<string, string>();
  const found = to ? await get<{ paths: Edge[][]; nodes: Entity[]; given_up: boolean }>("/v1/paths", { ...clocks(), source: id, target: to }) : null;
  for (const node of found?.nodes ?? []) names.set(node.id, node.name);
  panel.append(el("p", {}, "From ", who(id, names.get(id))), picker("to", "To", names.get(to) ?? to, (hit) => set({ to: hit.id })));
  if (!found) return { panel };
  const lines = found.paths.map((edges) => el("li", {}, chain(edges, id, names)));
  panel.append(lines.length ? el("ol", { class: "paths" }, ...lines) : el("p", {}, "No path of four edges or fewer."));
  if (found.given_up) panel.append(el("p", { class: "warn" }, "The search was too wide and was given up; these are not all."));
  return { panel, edges: found.paths.flat(), nodes: found.nodes };
}

/** One path: who, by what edge and how much, to whom; and the least that all of it carries, where all of it runs one way. */
function chain(edges: Edge[], from: string, names: Map<string, string>): HTMLElement {
  const parts: Node[] = [el("span", { class: "stop" }, who(from, names.get(from)))];
  const ways: boolean[] = [];
  let at = from;
  for (const edge of edges) {
    const onwards = edge.source === at;
    ways.push(onwards);
    at = onwards ? edge.target : edge.source;
    const sum = edge.value === null ? "" : ` ${money(edge.value, edge.unit)}`;
    const words = `${onwards ? "→" : "←"} ${edge.type.replaceAll("_", " ").toLowerCase()}${sum}`;
    const said = `evidence: ${names.get(edge.source)} ${edge.type} ${names.get(edge.target)}${sum}`;
    parts.push(el("span", { class: "hop" }, link(words, () => set({ panel: `evidence:${edge.statement}` }), { "aria-label": said })));
    parts.push(el("span", { class: "stop" }, who(at, names.get(at))));
  }
  const sums = edges.filter((edge) => /^[A-Z]{3}$/.test(edge.unit ?? "") && edge.value !== null);
  const alike = sums.length === edges.length && new Set(sums.map((edge) => edge.unit)).size === 1;
  if (alike && new Set(ways).size === 1) parts.push(el("p", { class: "fine" }, `at most ${money(Math.min(...sums.map((edge) => Number(edge.value))), sums[0]!.unit)} runs through all of it`));
  return el("div", { class: "chain" }, ...parts);
}
