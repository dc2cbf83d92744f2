// The API as the page uses it: one way to ask, errors as problems, the key kept for this tab alone.

export interface Stamp {
  at: { valid: string; known: string; published: string };
  commit: number;
  ledger: string;
}
export interface Entity {
  id: string;
  label: string;
  name: string;
  [score: string]: unknown;
}
export interface Edge {
  id: string;
  type: string;
  source: string;
  target: string;
  key: string;
  value: string | number | null;
  unit: string | null;
  confidence: number;
  statement: string;
  valid_from: string;
  valid_to: string | null;
}
export interface Fact {
  property: string;
  key: string;
  value: string | number | null;
  unit: string | null;
  valid_from: string;
  valid_to: string | null;
  published: string;
  statement: string;
}
export interface Around extends Stamp {
  centre: Entity;
  nodes: Entity[];
  edges: Edge[];
  more: number;
}
export interface Whole extends Stamp {
  nodes: (Entity & { x: number; y: number })[];
  edges: Pick<Edge, "id" | "type" | "source" | "target" | "statement">[];
  more: number;
}
export interface Value extends Fact {
  claim: string;
  known_from: string;
  taken_back: string | null;
  confidence: number;
}
export interface Alert extends Record<string, unknown> {
  id: string;
  kind: string;
  rank: number;
  subject: string;
  name: string;
  says: string;
  since: string;
  score: number;
  edges: string[];
}
export interface Item {
  what: string;
  why: string;
  valid: string;
  known: string;
}
export interface Case extends Record<string, unknown> {
  id: string;
  title: string;
  state: string;
  by: string;
  opened: string;
  items: Item[];
  entries: { at: string; by: string; act: string; text: string; items: Item[] }[];
}
export interface Claim {
  quote: string;
  locator: string;
  document: string;
  title: string;
  extractor: string;
  confidence: number;
  published: string;
  known_from: string;
  read_back: boolean;
  note: string;
  place: string;
}
export interface Evidence extends Stamp {
  what: Record<string, unknown>;
  claims: Claim[];
  run: Record<string, unknown>;
}
export interface Place {
  kind: "text" | "rows" | "page" | "sound" | "quote";
  marked: string;
  before?: string;
  after?: string;
  columns?: string[];
  rows?: { row: number; cells: string[]; marked: boolean }[];
  box?: [number, number, number, number];
  picture?: string;
  sound?: string;
}
export interface Parameter {
  name: string;
  type: string;
  default: string | null;
  about: string;
}
export interface NamedQuery {
  name: string;
  tells: string;
  parameters: Parameter[];
  examples: string[];
}
export type Row = Record<string, unknown>;

export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
  }
}

const KEY = "kgrisk-key";
export const key = {
  get: (): string => sessionStorage.getItem(KEY) ?? "",
  set: (value: string): void => sessionStorage.setItem(KEY, value),
};

export async function answer(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key.get()) headers.set("X-Api-Key", key.get());
  const response = await fetch(path, { ...init, headers });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({ detail: response.statusText }));
    throw new Problem(response.status, problem.detail ?? response.statusText);
  }
  return response;
}

export async function get<T>(path: string, query: Record<string, string | number> = {}): Promise<T> {
  return (await answer(path + text(query))).json() as Promise<T>;
}

export async function post<T>(path: string, body: unknown, query: Record<string, string | number> = {}): Promise<T> {
  return (await answer(path + text(query), sent(body))).json() as Promise<T>;
}

export function sent(body: unknown): RequestInit {
  return { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

export function text(query: Record<string, string | number>): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

/** Names of entities, by id; who is not there is called by the id. */
export async function named(ids: Iterable<string>, clocks: Record<string, string>): Promise<Map<string, string>> {
  const asked = [...new Set(ids)].slice(0, 500);
  if (!asked.length) return new Map();
  const found = await post<{ rows: Entity[] }>("/v1/subgraph/nodes", { ids: asked }, clocks);
  return new Map(found.rows.map((row) => [row.id, row.name]));
}

export async function file(path: string, body?: unknown): Promise<Blob> {
  return (await answer(path, body === undefined ? {} : sent(body))).blob();
}
