// Two sliders: what was true when, and as it was known when.

import { by, el } from "./dom";
import { now, on, set } from "./state";

const DAY = 86_400_000;
const day = (moment: string): number => Math.floor(Date.parse(moment) / DAY);
const text = (days: number): string => new Date(days * DAY).toISOString().slice(0, 10);

export interface Reach {
  valid: string[];
  commits: { commit: number; known_from: string; asserted: number; retracted: number }[];
}

export function clocks(reach: Reach): void {
  const [first, last] = reach.valid.length ? reach.valid.map(day) : [day(new Date().toISOString()), day(new Date().toISOString())];
  const today = Math.max(last!, day(new Date().toISOString()));
  const valid = slider("valid", "True on", first!, today, () => (now().valid ? day(now().valid) : today), (at) => (at === today ? "" : text(at)), text);
  const commits = reach.commits;
  const place = (): number => {
    const found = commits.findIndex((own) => own.known_from === now().known);
    return found < 0 ? commits.length - 1 : found;
  };
  const said = (at: number): string => `commit ${commits[at]?.commit ?? 0}, ${commits[at]?.known_from.slice(0, 16).replace("T", " ") ?? ""}`;
  const known = slider("known", "As known at", 0, Math.max(0, commits.length - 1), place, (at) => (at === commits.length - 1 ? "" : commits[at]!.known_from), said);
  by("clocks").replaceChildren(valid, known);
}

function slider(name: "valid" | "known", words: string, low: number, high: number, from: () => number, to: (at: number) => string, say: (at: number) => string): HTMLElement {
  const output = el("output", { for: name }, say(from()));
  const input = el("input", { id: name, type: "range", min: low, max: high, step: 1, value: from() });
  const tell = (): void => {
    output.textContent = say(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", tell);
  input.addEventListener("change", () => set({ [name]: to(Number(input.value)) }));
  on(() => {
    input.value = String(from());
    tell();
  });
  tell();
  return el("div", { class: "clock" }, el("label", { for: name }, words), input, output);
}
