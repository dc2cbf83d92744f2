// Elements without templates: text is always text, so nothing of a document is ever taken for markup.

type Part = Node | string | null | undefined | false;
type Own = Record<string, unknown>;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, own: Own = {}, ...parts: Part[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(own)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...parts.filter((part): part is Node | string => !!part));
  return made;
}

export function by<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en") : value.toPrecision(4);
  if (typeof value === "string" && /^-?\d{5,}(\.\d+)?$/.test(value)) return Number(value).toLocaleString("en");
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) return value.slice(0, 10);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function table(rows: Record<string, unknown>[], columns?: string[], link?: (id: string) => void): HTMLElement {
  const names = columns ?? Object.keys(rows[0] ?? {});
  const head = el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name.replaceAll("_", " "))));
  const body = rows.map((row) => el("tr", {}, ...names.map((name) => el("td", {}, linked(row[name], link)))));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}

function linked(value: unknown, link?: (id: string) => void): Node | string {
  if (link && typeof value === "string" && /^[a-z]+:[^\s]+$/.test(value) && !value.startsWith("http"))
    return el("button", { class: "link", type: "button", onclick: () => link(value) }, value);
  return cell(value);
}
