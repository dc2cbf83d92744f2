// The graph on the canvas: what is shown, how it lies, what colours it. What is asked of the server is in main.ts.

import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";
import Sigma from "sigma";
import type { Around, Edge, Entity } from "./api";
import { colour, GHOST } from "./ramp";

export const FIRST = 300; // nodes shown at first, at most
export const MOST = 5000; // nodes on the canvas, at most

export class Canvas {
  readonly graph = new Graph({ multi: true, type: "directed" });
  readonly sigma: Sigma;
  private heat = "distress";
  private chosen = "";

  constructor(holder: HTMLElement, onNode: (id: string) => void, onEdge: (statement: string) => void) {
    this.sigma = new Sigma(this.graph, holder, {
      labelRenderedSizeThreshold: 4,
      labelDensity: 0.6,
      labelGridCellSize: 90,
      defaultEdgeType: "arrow",
      enableEdgeEvents: true,
      hideEdgesOnMove: true,
      labelFont: "system-ui, sans-serif",
      zIndex: true,
    });
    this.sigma.on("clickNode", ({ node }) => onNode(node));
    this.sigma.on("clickEdge", ({ edge }) => onEdge(String(this.graph.getEdgeAttribute(edge, "statement"))));
  }

  /** Adds an entity with those around it; gives how many were left out because the canvas is full. */
  add(around: Around): number {
    let left = 0;
    const centre = this.place(around.centre, null);
    for (const node of around.nodes) {
      if (!this.graph.hasNode(node.id) && this.graph.order >= MOST) left += 1;
      else this.place(node, centre);
    }
    for (const edge of around.edges) this.join(edge);
    this.graph.setNodeAttribute(around.centre.id, "more", around.more);
    return left;
  }

  private place(node: Entity, near: { x: number; y: number } | null): { x: number; y: number } {
    const known = { name: node.name, kind: node.label, score: node[this.heat] ?? null, ghost: false };
    if (this.graph.hasNode(node.id)) {
      this.graph.mergeNodeAttributes(node.id, known);
    } else {
      const turn = this.graph.order * 2.399963; // the golden angle: neighbours spread evenly, the same way each time
      const far = near ? 1 + Math.sqrt(this.graph.order) / 4 : 0;
      const x = (near?.x ?? 0) + far * Math.cos(turn);
      this.graph.addNode(node.id, { ...known, x, y: (near?.y ?? 0) + far * Math.sin(turn), size: 5, label: node.name });
    }
    return this.graph.getNodeAttributes(node.id) as { x: number; y: number };
  }

  private join(edge: Edge): void {
    if (this.graph.hasEdge(edge.id) || !this.graph.hasNode(edge.source) || !this.graph.hasNode(edge.target)) return;
    const own = { label: edge.type, kind: edge.type, statement: edge.statement, size: 1 };
    this.graph.addEdgeWithKey(edge.id, edge.source, edge.target, { ...own, color: "#b6bfc9" });
  }

  /** Lays out what is shown; the more nodes the fewer steps, so that the page never waits long. */
  layOut(): void {
    if (this.graph.order < 2) return;
    const iterations = Math.max(30, Math.min(300, Math.round(60_000 / (this.graph.order + this.graph.size))));
    forceAtlas2.assign(this.graph, { iterations, settings: { ...forceAtlas2.inferSettings(this.graph), slowDown: 4 } });
  }

  clear(): void {
    this.graph.clear();
  }

  /** Nodes that are not in the graph at the instant asked for stay as ghosts. */
  ghost(id: string): void {
    if (this.graph.hasNode(id)) this.graph.setNodeAttribute(id, "ghost", true);
  }

  recolour(heat: string, scores: Map<string, number>, chosen: string): number {
    this.heat = heat;
    this.chosen = chosen;
    const values = this.graph.mapNodes((id) => scores.get(id) ?? null).filter((value) => value !== null);
    const most = Math.max(0, ...values);
    this.graph.updateEachNodeAttributes((id, own) => {
      const score = scores.get(id) ?? null;
      const main = id === this.chosen;
      const more = own["more"] ? ` +${own["more"]}` : "";
      const label = own["ghost"] ? `${own["name"]} (not present)` : `${own["name"]}${more}`;
      const size = main ? 11 : 5 + 4 * (score !== null && most ? score / most : 0);
      const color = own["ghost"] ? GHOST : colour(score, most);
      return { ...own, score, label, size, color, highlighted: main, zIndex: main ? 1 : 0, forceLabel: main };
    });
    return most;
  }

  mark(edges: Set<string>): void {
    this.graph.updateEachEdgeAttributes((id, own) => ({
      ...own,
      color: edges.has(id) ? "#c2410c" : "#b6bfc9",
      size: edges.has(id) ? 3 : 1,
      zIndex: edges.has(id) ? 1 : 0,
    }));
  }

  centre(id: string): void {
    const at = this.sigma.getNodeDisplayData(id);
    if (at) this.sigma.getCamera().animate({ x: at.x, y: at.y }, { duration: reduced() ? 0 : 300 });
  }

  /** The canvas as a picture, all layers over one another on white. */
  picture(): Promise<Blob> {
    this.sigma.refresh();
    const layers = Object.values(this.sigma.getCanvases());
    const first = layers[0]!;
    const whole = document.createElement("canvas");
    whole.width = first.width;
    whole.height = first.height;
    const pen = whole.getContext("2d")!;
    pen.fillStyle = "white";
    pen.fillRect(0, 0, whole.width, whole.height);
    for (const layer of layers) pen.drawImage(layer, 0, 0);
    return new Promise((done, fail) => whole.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture")))));
  }
}

export function reduced(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
