// What the page shows, as the link that shows it again: everything is in the fragment of the address.

export const FIRST = 300; // neighbours of the middle shown at first, at most
export const STEP = 50; // neighbours more with every expansion

export interface State {
  root: string; // the entity whose neighbourhood is shown
  open: string; // entities that were expanded and how many of their neighbours are shown, as a packed list of id~n
  whole: string; // "1": the whole graph, laid out by the server
  id: string; // the entity looked at
  panel: string; // which panel is open
  heat: string; // score that colours the nodes
  valid: string; // upper thumbs of the two clocks
  known: string;
  since: string; // lower thumbs: what came and went since then is marked
  knownsince: string;
  shock: string; // ids that fail, as a packed list
  part: string; // how much of each fails
  measure: string;
  against: string; // what the shock is compared with: before, clocks, scenario:NAME, or shock:PACKED
  query: string;
  given: string; // parameters of the query, as JSON
  to: string; // other end of a path
  kind: string; // kind of the alerts listed
  case: string; // the case looked at
  about: string; // what a case is about to be opened for, as a packed list
}

export const EMPTY: State = {
  root: "", open: "", whole: "", id: "", panel: "entity", heat: "distress", valid: "", known: "", since: "", knownsince: "",
  shock: "", part: "1", measure: "debtrank", against: "", query: "", given: "", to: "", kind: "", case: "", about: "",
};
type Listener = (now: State, before: State) => void;
const listeners: Listener[] = [];
let state: State = read();

export function now(): State {
  return state;
}

export function on(listener: Listener): void {
  listeners.push(listener);
}

/** Changes the state and the address; `quiet` leaves no step to go back to. */
export function set(change: Partial<State>, quiet = false): void {
  const before = state;
  state = { ...state, ...change };
  const link = `#${fragment()}`;
  if (link !== location.hash) quiet ? history.replaceState(null, "", link) : history.pushState(null, "", link);
  for (const listener of listeners) listener(state, before);
}

/** The instants of a question. */
export function clocks(): Record<string, string> {
  return { valid: state.valid, known: state.known };
}

/** The instants of the lower thumbs; none where neither was moved. */
export function earlier(): Record<string, string> | null {
  if (!state.since && !state.knownsince) return null;
  return { valid: state.since || state.valid, known: state.knownsince || state.known };
}

/** Ids may hold commas, a packed list holds them escaped. */
export function packed(ids: Iterable<string>): string {
  return [...new Set(ids)].map(encodeURIComponent).join(",");
}

export function unpacked(list: string): string[] {
  return list.split(",").filter(Boolean).map(decodeURIComponent);
}

/** Expanded entities and how many of their neighbours are shown. */
export function opened(): Map<string, number> {
  return new Map(unpacked(state.open).map((own) => [own.slice(0, own.lastIndexOf("~")), Number(own.slice(own.lastIndexOf("~") + 1))]));
}

export function opening(id: string, most: number): string {
  return packed([...opened().set(id, most)].map(([own, count]) => `${own}~${count}`));
}

/** The same with some more neighbours of one; the middle of the canvas begins with more than others. */
export function further(id: string): string {
  return opening(id, (opened().get(id) ?? (id === state.root ? FIRST : 0)) + STEP);
}

export function fragment(): string {
  const kept = Object.entries(state).filter(([name, value]) => value !== EMPTY[name as keyof State]);
  return new URLSearchParams(kept).toString();
}

function read(): State {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return { ...EMPTY, ...Object.fromEntries(Object.entries(given).filter(([name]) => name in EMPTY)) };
}

addEventListener("popstate", () => {
  const before = state;
  state = read();
  for (const listener of listeners) listener(state, before);
});
