// Which panels there are beside the graph.

import { alerts, cases } from "./cases";
import { entity } from "./entity";
import { evidence } from "./evidence";
import { data, risk } from "./lists";
import type { Show, Shown } from "./panel";
import { path } from "./paths";
import { queries } from "./queries";
import { shock } from "./shock";
import { now, set } from "./state";
import { act, el } from "./dom";

export const PANELS: Record<string, [string, Show]> = {
  entity: ["Entity", entity],
  risk: ["At risk", risk],
  alerts: ["Alerts", alerts],
  cases: ["Cases", cases],
  path: ["Paths", path],
  shock: ["Shock", shock],
  queries: ["Queries", queries],
  data: ["Table", data],
};

export async function panel(): Promise<Shown> {
  const { panel: open, id } = now();
  const at = open.indexOf(":");
  const [name, what] = at < 0 ? [open, ""] : [open.slice(0, at), open.slice(at + 1)];
  if (name === "evidence" && what) {
    const back = id ? act("Back to the entity", () => set({ panel: "entity" })) : null;
    return { panel: el("div", {}, back, await evidence(what)), marked: [] };
  }
  return (PANELS[name] ?? PANELS["entity"]!)[1]();
}
