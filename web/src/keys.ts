// What the keyboard does: search, the canvas, and the list of keys.

import type { Canvas } from "./canvas";
import { by } from "./dom";
import { further, now, set } from "./state";
import { notice } from "./taken";

const STEPS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export function keys(canvas: Canvas): void {
  const help = by<HTMLDialogElement>("help");
  let cursor = "";
  by("help-close").addEventListener("click", () => help.close());
  by("copying-close").addEventListener("click", () => by<HTMLDialogElement>("copying").close());
  by("help-open").addEventListener("click", () => help.showModal());
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || event.target instanceof HTMLTextAreaElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.key === "/") {
      event.preventDefault();
      by<HTMLInputElement>("words").focus();
      by<HTMLInputElement>("words").select();
    }
    if (event.key === "?") help.showModal();
    if (event.key === "Escape") by("canvas").focus();
  });
  by("words").addEventListener("keydown", (event) => {
    if (event.key === "Escape") by("canvas").focus();
  });
  by("canvas").addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (step) {
      event.preventDefault();
      cursor = canvas.towards(canvas.graph.hasNode(cursor) ? cursor : now().id, ...step);
      canvas.point(cursor);
      if (cursor) notice(`${canvas.graph.getNodeAttribute(cursor, "name")}: Enter looks at it, e expands it`);
    }
    if (event.key === "Enter" && canvas.graph.hasNode(cursor)) set({ id: cursor, panel: "entity" });
    if (event.key === "e" && (cursor || now().id)) set({ open: further(cursor || now().id) });
    if (event.key === "+" || event.key === "=") canvas.zoom(0.7);
    if (event.key === "-") canvas.zoom(1.4);
    if (event.key === "0") canvas.whole();
  });
}
