// What the page shows, as the link that shows it again: everything is in the fragment of the address.

export interface State {
  root: string; // the entity whose neighbourhood is shown
  open: string[]; // others that were expanded
  id: string; // the entity looked at
  panel: string; // which panel is open
  heat: string; // score that colours the nodes
  valid: string;
  known: string;
  shock: string; // ids that fail, parted by commas
  measure: string;
  query: string;
  given: string; // parameters of the query, as JSON
  to: string; // other end of a path
}

export const EMPTY: State = {
  root: "", open: [], id: "", panel: "entity", heat: "distress", valid: "", known: "", shock: "", measure: "debtrank",
  query: "", given: "", to: "",
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
  const link = `#${written(state)}`;
  if (link !== location.hash) quiet ? history.replaceState(null, "", link) : history.pushState(null, "", link);
  for (const listener of listeners) listener(state, before);
}

export function clocks(): Record<string, string> {
  return { valid: state.valid, known: state.known };
}

export function ids(list: string): string[] {
  return list.split(",").filter(Boolean);
}

function written(own: State): string {
  const kept = Object.entries(own).filter(([name, value]) => String(value) !== String(EMPTY[name as keyof State]));
  return new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
}

function read(): State {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return { ...EMPTY, ...given, open: ids(given["open"] ?? "") };
}

addEventListener("popstate", () => {
  const before = state;
  state = read();
  for (const listener of listeners) listener(state, before);
});
