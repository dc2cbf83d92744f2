// A box that suggests entities while one types: the search of the page, and every place where an entity is picked.

import { get, type Entity } from "./api";
import { by, el } from "./dom";
import { clocks, set } from "./state";

const PARTIES = ["Bank", "Company", "Fund", "Person"];

/** Of several of one name the party itself comes before its papers and accounts. */
function rank(hit: Entity): number {
  const at = PARTIES.indexOf(hit.label);
  return at < 0 ? PARTIES.length : at;
}

/** Suggests below an input; arrows and Enter take one, Esc closes. */
export function suggest(words: HTMLInputElement, list: HTMLElement, take: (hit: Entity) => void): void {
  let hits: Entity[] = [];
  let chosen = 0;
  let asked = 0;
  const close = (): void => {
    list.hidden = true;
    words.setAttribute("aria-expanded", "false");
    words.removeAttribute("aria-activedescendant");
  };
  const taken = (at: number): void => {
    const hit = hits[at];
    if (!hit) return;
    close();
    words.value = hit.name;
    take(hit);
  };
  const draw = (): void => {
    const rows = hits.map((hit, at) =>
      el(
        "li",
        { id: `${list.id}-${at}`, role: "option", "aria-selected": String(at === chosen), onmousedown: (event: Event) => (event.preventDefault(), taken(at)) },
        hit.name,
        el("small", {}, ` ${hit.label} ${hit.id}`),
      ),
    );
    list.replaceChildren(...(rows.length ? rows : [el("li", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, "Nothing is called so at this instant")]));
    list.hidden = false;
    words.setAttribute("aria-expanded", "true");
    if (rows.length) words.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
  };
  const ask = async (): Promise<void> => {
    const mine = ++asked;
    if (!words.value.trim()) return close();
    const found = await get<{ rows: Entity[] }>("/v1/search", { ...clocks(), q: words.value, k: 10 }).catch(() => ({ rows: [] }));
    if (mine !== asked) return; // a later letter was faster
    const first = new Map(found.rows.map((hit, at) => [hit.name, at] as const).reverse());
    hits = [...found.rows].sort((a, b) => first.get(a.name)! - first.get(b.name)! || rank(a) - rank(b));
    chosen = 0;
    draw();
  };
  words.addEventListener("input", () => void ask());
  words.addEventListener("blur", close);
  words.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && hits.length && !list.hidden) {
      chosen = (chosen + step + hits.length) % hits.length;
      event.preventDefault();
      draw();
    }
    if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
    if (event.key === "Enter") {
      event.preventDefault();
      if (list.hidden) void ask().then(() => taken(0));
      else taken(chosen);
    }
  });
}

/** An input that picks an entity, with its label and suggestions. */
export function picker(name: string, words: string, value: string, take: (hit: Entity) => void): HTMLElement {
  const list = el("ul", { id: `${name}-hits`, class: "hits", role: "listbox", "aria-label": `${words}: hits`, hidden: true });
  const input = el("input", { id: name, type: "search", autocomplete: "off", role: "combobox", "aria-expanded": "false", "aria-controls": list.id, placeholder: "Name or id", value });
  suggest(input, list, take);
  return el("div", { class: "picker" }, el("label", { for: name }, words), input, list);
}

/** The search of the page. */
export function search(): void {
  suggest(by<HTMLInputElement>("words"), by("hits"), (hit) => set({ root: hit.id, id: hit.id, open: "", whole: "", panel: "entity" }));
  by<HTMLFormElement>("search").addEventListener("submit", (event) => event.preventDefault());
}
