// Elements without templates: text is always text, so nothing of a document is ever taken for markup.

export type Part = Node | string | null | undefined | false;
export type Own = Record<string, unknown>;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, own: Own = {}, ...parts: Part[]): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), own, parts);
}

/** The same for pictures. */
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, own: Own = {}, ...parts: Part[]): SVGElementTagNameMap[K] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), own, parts);
}

function filled<T extends Element>(made: T, own: Own, parts: Part[]): T {
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
  if (typeof value === "number") return Number.isInteger(value) || Math.abs(value) >= 1e6 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
  if (typeof value === "string" && /^-?\d{5,}(\.\d+)?$/.test(value)) return Number(value).toLocaleString("en");
  if (typeof value === "string" && /^[0-9a-f]{32,}$/.test(value)) return `${value.slice(0, 8)}…`;
  if (typeof value === "string" && value.startsWith("0001-01-01T")) return "always";
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) return value.slice(0, 10);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A name that fits into a line: long hashes by how they begin, long titles without their end. */
export function short(name: string, most = 80): string {
  const plain = name.replace(/\b([0-9a-f]{8})[0-9a-f]{24,}\b/g, "$1…");
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain;
}

/** A probability as everywhere on the page: 40.7 %. */
export function percent(value: unknown): string {
  return `${(Number(value) * 100).toFixed(1)} %`;
}

/** A sum as people say it: 3.21 bn EUR. Shares of one and counts have no unit and stay what they are. */
export function money(value: unknown, unit: string | null | undefined): string {
  const number = Number(value);
  if (value === null || value === undefined || value === "" || !Number.isFinite(number)) return cell(value);
  if (!unit || !/^[A-Z]{3}$/.test(unit)) return `${cell(typeof value === "number" ? value : String(value))} ${unit ?? ""}`.trim();
  const [scale, word] = Math.abs(number) >= 1e9 ? [1e9, " bn"] : Math.abs(number) >= 1e6 ? [1e6, " m"] : [1, ""];
  return `${(number / scale).toLocaleString("en", { maximumFractionDigits: scale === 1 ? 0 : 2 })}${word} ${unit}`;
}

type Columns = (string | [name: string, show: (row: Record<string, unknown>) => Node | string])[];

/** A table; a column is a name, or a name and what is shown of a row. */
export function table(rows: Record<string, unknown>[], columns?: Columns, caption = ""): HTMLElement {
  const shown = (columns ?? Object.keys(rows[0] ?? {})).map((own) => (typeof own === "string" ? ([own, null] as const) : own));
  const head = el("tr", {}, ...shown.map(([name]) => el("th", { scope: "col" }, name.replaceAll("_", " "))));
  const body = rows.map((row) =>
    el("tr", {}, ...shown.map(([name, show]) => el("td", { class: /since|from|published|recorded|changed/.test(name) ? "day" : typeof row[name] === "number" && !show ? "number" : "" }, show ? show(row) : cell(row[name])))),
  );
  const title = caption ? el("caption", {}, caption) : null;
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption || "Table" }, el("table", {}, title, el("thead", {}, head), el("tbody", {}, ...body)));
}

export function act(words: string, done: () => unknown, own: Own = {}): HTMLButtonElement {
  return el("button", { type: "button", onclick: () => void done(), ...own }, words);
}

export function link(words: string, done: () => unknown, own: Own = {}): HTMLButtonElement {
  return act(words, done, { class: "link", ...own });
}

export function download(blob: Blob, name: string): void {
  const made = el("a", { href: URL.createObjectURL(blob), download: name });
  made.click();
  setTimeout(() => URL.revokeObjectURL(made.href), 10_000);
}

/** What there is, or the problem in its own words. */
export async function shown(make: () => Promise<HTMLElement>): Promise<HTMLElement> {
  try {
    return await make();
  } catch (error) {
    return el("p", { class: "problem", role: "alert" }, error instanceof Error ? error.message : String(error));
  }
}

export function reduced(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
