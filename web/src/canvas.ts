// The graph on the canvas: what is shown, how it lies, what colours it. What is asked of the server is in main.ts.

import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";
import Sigma from "sigma";
import type { Around, Edge, Entity, Whole } from "./api";
import { reduced, short } from "./dom";
import { colour, EDGE, FAINT, FRESH, GHOST, GONE, MARKED } from "./ramp";

export const MOST = 5000; // nodes on the canvas, at most
export type Places = Record<string, [number, number]>;
export interface Camera {
  x: number;
  y: number;
  ratio: number;
  angle: number;
}

export class Canvas {
  readonly graph = new Graph({ multi: true, type: "directed" });
  readonly sigma: Sigma;
  private heat = "distress";
  private chosen = "";
  private pointed = "";
  private added = false; // something that the renderer has not indexed

  constructor(holder: HTMLElement, onNode: (id: string) => void, onEdge: (statement: string) => void) {
    this.sigma = new Sigma(this.graph, holder, {
      labelRenderedSizeThreshold: 4,
      labelDensity: 0.6,
      labelGridCellSize: 110,
      defaultEdgeType: "arrow",
      enableEdgeEvents: true,
      hideEdgesOnMove: true,
      labelFont: "system-ui, sans-serif",
      labelSize: 13,
      zIndex: true,
      minCameraRatio: 0.02,
      maxCameraRatio: 8,
      allowInvalidContainer: true,
    });
    this.sigma.on("clickNode", ({ node }) => onNode(node));
    this.sigma.on("clickEdge", ({ edge }) => onEdge(String(this.graph.getEdgeAttribute(edge, "statement"))));
  }

  /** Adds an entity with those around it; gives how many were left out because the canvas is full. */
  add(around: Pick<Around, "centre" | "nodes" | "edges" | "more">): number {
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

  /** Shows a whole graph where the server laid it. */
  fill(whole: Whole): void {
    const light = whole.edges.length > 3000;
    this.added = true;
    for (const node of whole.nodes) {
      const own = { name: node.name, kind: node.label, score: node[this.heat] ?? null, ghost: false };
      this.graph.mergeNode(node.id, { ...own, x: node.x, y: node.y, size: light ? 3 : 5, label: short(node.name) });
    }
    for (const edge of whole.edges) this.join(edge, light ? "line" : "arrow");
  }

  private place(node: Entity, near: { x: number; y: number } | null): { x: number; y: number } {
    const scored = this.heat in node ? { score: node[this.heat] ?? null } : {};
    const known = { name: node.name, kind: node.label, ghost: false, ...scored };
    if (this.graph.hasNode(node.id)) {
      this.graph.mergeNodeAttributes(node.id, known);
    } else {
      const turn = this.graph.order * 2.399963; // the golden angle: neighbours spread evenly, the same way each time
      const far = near ? 1 + Math.sqrt(this.graph.order) / 4 : 0;
      const x = (near?.x ?? 0) + far * Math.cos(turn);
      this.added = true;
      this.graph.addNode(node.id, { ...known, x, y: (near?.y ?? 0) + far * Math.sin(turn), size: 5, label: short(node.name) });
    }
    return this.graph.getNodeAttributes(node.id) as { x: number; y: number };
  }

  private join(edge: Pick<Edge, "id" | "source" | "target" | "type" | "statement">, type = "arrow"): void {
    if (this.graph.hasEdge(edge.id) || !this.graph.hasNode(edge.source) || !this.graph.hasNode(edge.target)) return;
    const own = { label: edge.type, kind: edge.type, statement: edge.statement, size: 1, type };
    this.added = true;
    this.graph.addEdgeWithKey(edge.id, edge.source, edge.target, { ...own, color: EDGE });
  }

  /** Lays out what is shown; the more nodes the fewer steps, so that the page never waits long. */
  layOut(): void {
    if (this.graph.order < 2) return;
    const iterations = Math.max(30, Math.min(300, Math.round(60_000 / (this.graph.order + this.graph.size))));
    const settings = { ...forceAtlas2.inferSettings(this.graph), slowDown: 4, adjustSizes: false, gravity: 1.5 };
    forceAtlas2.assign(this.graph, { iterations, settings });
  }

  clear(): void {
    this.graph.clear();
  }

  /** Nodes that are not in the graph at the instant asked for stay as ghosts. */
  ghost(id: string): void {
    if (this.graph.hasNode(id)) this.graph.setNodeAttribute(id, "ghost", true);
  }

  /** Lets the renderer index what was added: it repaints only what it knows. */
  private index(): void {
    if (this.added) this.sigma.refresh();
    this.added = false;
  }

  /** Marks what came and what went since the lower thumbs. */
  changed(fresh: Set<string>, gone: Edge[]): void {
    for (const edge of gone) this.join(edge);
    this.index();
    const left = new Set(gone.map((edge) => edge.id));
    this.graph.updateEachEdgeAttributes((id, own) => ({ ...own, fresh: fresh.has(id), gone: left.has(id) }));
  }

  recolour(heat: string, scores: Map<string, number>, chosen: string, marked: Set<string>): number {
    this.index();
    this.heat = heat;
    this.chosen = chosen;
    const values = this.graph.mapNodes((id) => scores.get(id) ?? null).filter((value) => value !== null);
    const most = Math.max(0, ...values);
    const small = this.graph.order > 1000 ? 0.6 : 1;
    const plain = this.graph.size > 3000 ? FAINT : EDGE;
    this.graph.updateEachNodeAttributes((id, own) => {
      const score = scores.get(id) ?? null;
      const main = id === this.chosen;
      const more = own["more"] ? ` +${own["more"]}` : "";
      const label = own["ghost"] ? `${short(own["name"])} (not present)` : `${short(own["name"])}${more}`;
      const size = main ? 11 : small * (5 + 4 * (score !== null && most ? score / most : 0));
      const color = own["ghost"] ? GHOST : colour(score, most);
      return { ...own, score, label, size, color, highlighted: main, zIndex: main ? 1 : 0, forceLabel: main };
    });
    this.graph.updateEachEdgeAttributes((id, own) => {
      const color = marked.has(id) ? MARKED : own["fresh"] ? FRESH : own["gone"] ? GONE : plain;
      return { ...own, color, size: marked.has(id) ? 3 : own["fresh"] ? 2 : 1, zIndex: marked.has(id) ? 1 : 0 };
    });
    return most;
  }

  centre(id: string): void {
    const at = this.sigma.getNodeDisplayData(id);
    if (at) void this.move({ x: at.x, y: at.y }, 300);
  }

  /** Shows which node the keyboard is at. */
  point(id: string): void {
    const small = this.pointed;
    if (this.graph.hasNode(small)) this.graph.setNodeAttribute(small, "highlighted", small === this.chosen);
    if (this.graph.hasNode(id)) this.graph.setNodeAttribute(id, "highlighted", true);
    this.pointed = id;
  }

  /** The camera on all of it. */
  whole(): void {
    void this.move({ x: 0.5, y: 0.5, ratio: 1, angle: 0 }, 300);
  }

  zoom(factor: number): void {
    void this.move({ ratio: this.sigma.getCamera().getState().ratio * factor }, 150);
  }

  /** Moves the camera, unless it stands there. Edges are hidden on the way, so all is drawn again at its end. */
  private async move(to: Partial<Camera>, duration: number): Promise<void> {
    const camera = this.sigma.getCamera();
    const here = camera.getState();
    const there = (Object.keys(to) as (keyof Camera)[]).every((own) => Math.abs(to[own]! - here[own]) < 1e-6);
    if (there && !camera.isAnimated()) return;
    if (reduced()) camera.setState(to);
    else await camera.animate(to, { duration });
    this.sigma.refresh();
  }

  /** The node nearest in a direction on the screen, for the arrow keys; the first one where none is chosen. */
  towards(from: string, x: number, y: number): string {
    if (!this.graph.hasNode(from)) return this.graph.nodes()[0] ?? "";
    const here = this.sigma.getNodeDisplayData(from)!;
    let [best, least] = [from, Infinity];
    this.graph.forEachNode((id) => {
      const there = this.sigma.getNodeDisplayData(id)!;
      const [dx, dy] = [there.x - here.x, here.y - there.y];
      const along = dx * x + dy * y;
      const cost = Math.hypot(dx, dy) + 2 * Math.abs(dx * y - dy * x);
      if (id !== from && along > 0 && cost < least) [best, least] = [id, cost];
    });
    return best;
  }

  places(): Places {
    return Object.fromEntries(this.graph.mapNodes((id, own) => [id, [own["x"], own["y"]]]));
  }

  restore(places: Places, camera: Camera): void {
    for (const [id, [x, y]] of Object.entries(places)) if (this.graph.hasNode(id)) this.graph.mergeNodeAttributes(id, { x, y });
    this.sigma.getCamera().setState(camera);
  }

  /** Where a node stands on the screen. */
  where(id: string): { x: number; y: number } | null {
    const at = this.graph.hasNode(id) ? this.sigma.getNodeDisplayData(id) : undefined;
    const box = this.sigma.getContainer().getBoundingClientRect();
    const point = at ? this.sigma.framedGraphToViewport(at) : null;
    return point && { x: box.left + point.x, y: box.top + point.y };
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
