// The search box: hits while typing, arrows and Enter to take one.

import { get, type Entity } from "./api";
import { by, el } from "./dom";
import { clocks, set } from "./state";

export function search(): void {
  const words = by<HTMLInputElement>("words");
  const list = by("hits");
  let hits: Entity[] = [];
  let chosen = 0;
  let asked = 0;

  const close = (): void => {
    list.hidden = true;
  };
  const take = (at: number): void => {
    const hit = hits[at];
    if (!hit) return;
    close();
    words.value = hit.name;
    set({ root: hit.id, id: hit.id, open: [], panel: "entity" });
  };
  const draw = (): void => {
    const rows = hits.map((hit, at) =>
      el("li", { role: "option", "aria-selected": at === chosen, onmousedown: () => take(at) }, hit.name, el("small", {}, ` ${hit.label} ${hit.id}`)),
    );
    list.replaceChildren(...(rows.length ? rows : [el("li", {}, "Nothing is called so at this instant")]));
    list.hidden = false;
  };
  const ask = async (): Promise<void> => {
    const mine = ++asked;
    if (!words.value.trim()) return close();
    const found = await get<{ rows: Entity[] }>("/v1/search", { ...clocks(), q: words.value, k: 10 }).catch(() => ({ rows: [] }));
    if (mine !== asked) return; // a later letter was faster
    hits = found.rows;
    chosen = 0;
    draw();
  };
  words.addEventListener("input", () => void ask());
  words.addEventListener("blur", close);
  words.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && hits.length) {
      chosen = (chosen + step + hits.length) % hits.length;
      event.preventDefault();
      draw();
    }
    if (event.key === "Escape") close();
  });
  by<HTMLFormElement>("search").addEventListener("submit", (event) => {
    event.preventDefault();
    if (list.hidden) void ask().then(() => take(0));
    else take(chosen);
  });
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      words.focus();
      words.select();
    }
  });
}
