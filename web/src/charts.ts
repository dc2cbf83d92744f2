// Small charts: bars and steps as SVG with their words as text; the table beside each says the same in numbers.

import { cell, el, money, short, svg } from "./dom";

export interface Bar {
  label: string;
  value: number;
  other?: number; // of what it is compared with
  title?: string;
}
const WIDTH = 520;
const LEFT = 170;

/** Bars to the right of their labels; a second, hollow one for what is compared. */
export function bars(rows: Bar[], unit: string, words: string, told = (value: number): string => money(value, unit)): HTMLElement {
  const shown = rows.slice(0, 12);
  const pair = shown.some((row) => row.other !== undefined);
  const step = pair ? 32 : 22;
  const all = shown.flatMap((row) => [row.value, row.other ?? 0]);
  const low = Math.min(0, ...all);
  const most = Math.max(0, ...all) - low || 1;
  const right = 10 + Math.max(40, ...all.map((value) => wide(told(value))));
  const at = (value: number): number => LEFT + ((value - low) / most) * (WIDTH - LEFT - right);
  const bar = (value: number, y: number, high: number, kind: string) =>
    svg("rect", { class: kind, x: Math.min(at(0), at(value)), y, width: Math.max(1, Math.abs(at(value) - at(0))), height: high });
  const lines = shown.map((row, k) => {
    const y = k * step + 4;
    return svg(
      "g",
      {},
      svg("title", {}, `${row.title ?? row.label}: ${told(row.value)}${row.other === undefined ? "" : `, compared: ${told(row.other)}`}`),
      svg("text", { x: LEFT - 6, y: y + 12, "text-anchor": "end" }, clipped(short(row.label), LEFT - 12)),
      bar(row.value, y + 2, 12, "bar"),
      row.other === undefined ? null : bar(row.other, y + 16, 10, "bar other"),
      svg("text", { class: "value", x: at(Math.max(row.value, 0)) + 5, y: y + 12 }, told(row.value)),
      row.other === undefined ? null : svg("text", { class: "value", x: at(Math.max(row.other, 0)) + 5, y: y + 25 }, told(row.other)),
    );
  });
  return figure(svg("svg", { viewBox: `0 0 ${WIDTH} ${shown.length * step + 8}`, role: "img", "aria-label": `${words}: ${shown.map((row) => `${row.label} ${told(row.value)}`).join("; ")}` }, ...lines), words);
}

export interface Point {
  at: string; // day or instant
  value: number;
  past?: boolean; // said once, taken back or said otherwise later
  title: string;
}

/** Values over time: each holds until the next; what was taken back stands hollow. */
export function steps(points: Point[], unit: string, words: string): HTMLElement {
  const high = 190;
  const sorted = [...points].sort((a, b) => a.at.localeCompare(b.at));
  const times = sorted.map((point) => Date.parse(point.at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const values = sorted.map((point) => point.value);
  const [low, most] = [Math.min(0, ...values), Math.max(...values, 0)];
  const x = (at: number): number => 14 + (last > first ? (at - first) / (last - first) : 0.5) * (WIDTH - 40);
  const y = (value: number): number => high - 26 - ((value - low) / (most - low || 1)) * (high - 52);
  const standing = sorted.filter((point) => !point.past);
  const path = standing.map((point, k) => `${k ? `H${x(Date.parse(point.at))}V` : `M${x(Date.parse(point.at))} `}${y(point.value)}`).join("");
  const dots = sorted.map((point) =>
    svg("circle", { class: point.past ? "dot past" : "dot", cx: x(Date.parse(point.at)), cy: y(point.value), r: 4 }, svg("title", {}, point.title)),
  );
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${high}`, role: "img", "aria-label": `${words}: ${sorted.map((point) => point.title).join("; ").slice(0, 400)}` },
    svg("line", { class: "axis", x1: 8, x2: WIDTH - 8, y1: y(0), y2: y(0) }),
    svg("path", { class: "line", d: path || "M0 0" }),
    ...dots,
    svg("text", { x: 8, y: 14 }, money(most, unit)),
    svg("text", { x: 8, y: high - 4 }, (sorted[0]?.at ?? "").slice(0, 10)),
    svg("text", { x: WIDTH - 8, y: high - 4, "text-anchor": "end" }, (sorted.at(-1)?.at ?? "").slice(0, 10)),
  );
  return figure(drawing, words);
}

function figure(drawing: SVGElement, words: string): HTMLElement {
  return el("figure", { class: "chart" }, drawing, el("figcaption", {}, words));
}

const pen = document.createElement("canvas").getContext("2d")!;

/** Width of words in a drawing. */
function wide(text: string): number {
  pen.font = "12px system-ui, sans-serif";
  return pen.measureText(text).width;
}

/** The words, or as many of their letters as fit. */
function clipped(text: string, most: number): string {
  if (wide(text) <= most) return text;
  let kept = text;
  while (kept && wide(`${kept}…`) > most) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

type Row = Record<string, unknown>;

/** A chart of rows of any query: its money, else its scores, else its counts, by time where it has days, else by name; null where it has none. */
export function chartOf(rows: Row[], names: Map<string, string>, currency: string): HTMLElement | null {
  const columns = Object.keys(rows[0] ?? {});
  const numbers = columns.filter((name) => !/^(rank|hops?|nearest|depth|level)$/.test(name) && rows.some((row) => isNumber(row[name])) && rows.every((row) => isNumber(row[name]) || row[name] === null));
  const numeric = numbers.sort((a, b) => weight(a, rows) - weight(b, rows))[0];
  if (!numeric || rows.length < 2) return null;
  const unit = weight(numeric, rows) === 0 ? String(rows[0]!["currency"] ?? currency) : "";
  const scale = numeric.endsWith("_minor") ? minor(unit) : 1;
  const words = numeric.replace(/_minor$/, "").replaceAll("_", " ");
  const given = rows.filter((row) => isNumber(row[numeric]));
  const time = columns.find((name) => given.every((row) => /^\d{4}-\d\d-\d\d/.test(String(row[name]))) && new Set(given.map((row) => row[name])).size > 1);
  if (time && given.length > 2) {
    const points = given.map((row) => ({ at: String(row[time]), value: Number(row[numeric]) / scale, title: `${cell(row[time])}: ${money(Number(row[numeric]) / scale, unit)}` }));
    return steps(points, unit, `${words} by ${time.replaceAll("_", " ")}`);
  }
  const label = columns.find((name) => /name/.test(name)) ?? columns.find((name) => typeof rows[0]![name] === "string");
  if (!label) return null;
  const made = given.map((row) => ({ label: names.get(String(row[label])) ?? cell(row[label]), value: Number(row[numeric]) / scale }));
  made.sort((a, b) => b.value - a.value);
  return bars(made, unit, `${words} by ${label.replaceAll("_", " ")}`);
}

/** What a reader asks for first: money, then scores and shares, then counts. */
function weight(name: string, rows: Row[]): number {
  if (/_minor$|^amount$|_amount$/.test(name)) return 0;
  return rows.some((row) => isNumber(row[name]) && !Number.isInteger(Number(row[name]))) ? 1 : 2;
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));
}

/** What a unit of a currency is divided into. */
function minor(currency: string): number {
  if (!/^[A-Z]{3}$/.test(currency)) return 1;
  return 10 ** (new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2);
}
