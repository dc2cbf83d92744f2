// What every panel gives: itself, and what it wants marked on the canvas.

import type { Edge, Entity } from "./api";
import { link, short } from "./dom";
import { set } from "./state";

export interface Shown {
  panel: HTMLElement;
  edges?: Edge[]; // exposures or paths to mark on the canvas
  marked?: string[]; // ids of edges to mark where they are on the canvas
  nodes?: Entity[];
  losses?: Map<string, number>;
  unit?: string; // of the losses
}
export type Show = () => Promise<Shown>;

/** Looks at an entity; one that is not on the canvas becomes the middle of it. */
export function go(id: string): void {
  set({ id, panel: "entity" });
}

/** A button that looks at an entity, under its name. */
export function who(id: string, name?: string): HTMLElement {
  return link(short(name || id), () => go(id), { title: id });
}

export function isId(value: unknown): value is string {
  return typeof value === "string" && /^[a-z]+:\S/.test(value) && !/^https?:/.test(value) && value.length < 200;
}
