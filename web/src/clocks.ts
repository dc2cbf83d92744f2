// Two ranges of two thumbs each: the right thumb is the instant shown, the left one what it is compared with.

import { by, el } from "./dom";
import { now, on, set, type State } from "./state";

const DAY = 86_400_000;
const day = (moment: string): number => Math.floor(Date.parse(moment) / DAY);
const text = (days: number): string => new Date(days * DAY).toISOString().slice(0, 10);

/** Whether it is an instant; not every day that a number can be made of is one, as of the 30th of February. */
function isDay(value: string): boolean {
  const at = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN;
  return Number.isFinite(at) && (value.length > 10 || text(day(value)) === value);
}

export interface Reach {
  valid: string[];
  commits: { commit: number; known_from: string; asserted: number; retracted: number }[];
}
interface Scale {
  upper: "valid" | "known";
  lower: "since" | "knownsince";
  words: string;
  low: number;
  high: number;
  from: (value: string) => number; // place of what the state says
  to: (at: number) => string;
  say: (at: number) => string;
  asked: (value: string, at: number) => string; // what is told of an instant that the state names
}

export function clocks(reach: Reach): void {
  const today = day(new Date().toISOString());
  const [first, last] = reach.valid.length ? reach.valid.map(day) : [today, today];
  const most = Math.max(last!, today);
  const commits = reach.commits;
  const valid: Scale = { upper: "valid", lower: "since", words: "True on", low: first!, high: most, from: (value) => (isDay(value) ? day(value) : most), to: text, say: text, asked: (value) => (isDay(value) ? text(day(value)) : `${value} is no day: write it as ${text(today)}`) };
  const known: Scale = {
    upper: "known",
    lower: "knownsince",
    words: "As known at",
    low: 0,
    high: Math.max(0, commits.length - 1),
    from: (value) => (isDay(value) ? Math.max(0, commits.findLastIndex((own) => Date.parse(own.known_from) <= Date.parse(value))) : Math.max(0, commits.length - 1)),
    to: (at) => commits[at]?.known_from ?? "",
    say: (at) => `commit ${commits[at]?.commit ?? 0}, ${commits[at]?.known_from.slice(0, 16).replace("T", " ") ?? "nothing recorded"}`,
    asked: (value, at) => {
      if (!isDay(value)) return `${value} is no day: write it as ${text(today)}`;
      const outside = commits.length && (Date.parse(value) < Date.parse(commits[0]!.known_from) || Date.parse(value) > Date.parse(commits.at(-1)!.known_from));
      if (!outside) return known.say(at);
      const early = Date.parse(value) < Date.parse(commits[0]!.known_from);
      return `${value.slice(0, 16).replace("T", " ")}, ${early ? "before anything was recorded" : `after ${known.say(at)}`}`;
    },
  };
  by("clocks").replaceChildren(range(valid, today), range(known, known.high));
}

/** A range with two thumbs. The upper at `free` and the lower at the beginning say nothing: now, and no comparison. */
function range(own: Scale, free: number): HTMLElement {
  const start = Math.min(free, own.high);
  const upper = (): number => (now()[own.upper] ? own.from(now()[own.upper]) : start);
  const lower = (): number => (now()[own.lower] ? own.from(now()[own.lower]) : own.low);
  const [left, right] = [thumb(own, `${own.words}: compare with`), thumb(own, own.words)];
  const output = el("output", { for: `${right.id} ${left.id}` });
  right.id = own.upper;
  left.id = own.lower;
  const fill = el("span", { class: "fill", "aria-hidden": "true" });
  const tell = (asked: boolean): void => {
    const [a, b] = [Number(left.value), Number(right.value)];
    fill.hidden = a === own.low; // nothing is compared
    const wide = own.high - own.low || 1;
    fill.style.left = `${((a - own.low) / wide) * 100}%`;
    fill.style.right = `${100 - ((b - own.low) / wide) * 100}%`;
    const compared = a > own.low || (asked && !!now()[own.lower]);
    const upperSaid = asked && now()[own.upper] ? own.asked(now()[own.upper], b) : own.say(b);
    const lowerSaid = asked && now()[own.lower] ? own.asked(now()[own.lower], a) : own.say(a);
    output.textContent = compared ? `${upperSaid}; changes since ${lowerSaid}` : upperSaid;
    right.setAttribute("aria-valuetext", upperSaid);
    left.setAttribute("aria-valuetext", compared ? lowerSaid : "no comparison");
  };
  const moved = (which: HTMLInputElement): void => {
    if (Number(left.value) > Number(right.value)) which.value = which === left ? right.value : left.value;
    tell(false);
  };
  const commit = (): void => {
    const [a, b] = [Number(left.value), Number(right.value)];
    const change: Partial<State> = { [own.upper]: b === start ? "" : own.to(b), [own.lower]: a === own.low ? "" : own.to(a) };
    set(change);
  };
  for (const input of [left, right]) {
    input.addEventListener("input", () => moved(input));
    input.addEventListener("change", commit);
  }
  const follow = (): void => {
    right.value = String(upper());
    left.value = String(lower());
    tell(true);
  };
  on(follow);
  follow();
  return el("div", { class: "clock", role: "group", "aria-label": own.words }, el("span", { class: "name" }, own.words), el("span", { class: "range" }, fill, left, right), output);
}

function thumb(own: Scale, words: string): HTMLInputElement {
  return el("input", { type: "range", min: own.low, max: own.high, step: 1, "aria-label": words });
}
