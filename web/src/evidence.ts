// Evidence beside a statement: each claim with the sentence, box, seconds or row it stands in.

import { answer, get, type Claim, type Evidence, type Place } from "./api";
import { act, cell, el, money, short } from "./dom";
import { clocks, packed, set } from "./state";

export async function evidence(what: string): Promise<HTMLElement> {
  const found = await get<Evidence>(`/v1/evidence/${encodeURIComponent(what)}`, clocks());
  const said = found.what;
  const unit = String(said["unit"] ?? "");
  const inside = said["value"] as Record<string, unknown> | null;
  const value = inside && typeof inside === "object" ? Object.entries(inside).map(([name, part]) => `${name} ${money(part, unit)}`).join(", ") : money(said["value"], unit);
  const title = said["type"]
    ? `${said["source_name"]} → ${said["type"]} → ${said["target_name"]}`
    : `${String(said["property"]).replaceAll("_", " ")} of ${said["name"]}`;
  const claims = await Promise.all(found.claims.slice(0, 20).map(claim));
  const more = found.claims.length - claims.length;
  return el(
    "section",
    { class: "evidence", "aria-label": "Evidence" },
    el("h3", { title }, short(title, 400)),
    el("p", { class: "total" }, value),
    el("p", {}, `True from ${cell(said["valid_from"])} to ${cell(said["valid_to"]) || "open"}; said by ${found.claims.length} ${found.claims.length === 1 ? "claim" : "claims"}`),
    el("p", { class: "acts" }, act("Add to a case", () => set({ panel: "cases", case: "", about: packed([String(said["statement"] ?? what)]) }))),
    ...claims,
    more > 0 ? el("p", { class: "fine" }, `${more} further claims say the same; the pack of a case holds them all.`) : null,
    Object.keys(found.run).length ? run(found.run) : null,
  );
}

async function claim(own: Claim): Promise<HTMLElement> {
  const when = `published ${cell(own.published)}, recorded ${cell(own.known_from)}`;
  const sure = `confidence ${own.confidence.toFixed(2)}, ${own.extractor}`;
  const shown = own.read_back ? await place(own.place) : el("p", { class: "warn" }, `does not read back: ${own.note}`);
  const head = el("h4", { title: own.title }, short(own.title, 400) || `document ${own.document.slice(0, 12)}`);
  return el("article", {}, head, shown, el("p", { class: "fine" }, `${own.locator}; ${when}; ${sure}`));
}

async function place(link: string): Promise<HTMLElement> {
  const found = await get<Place>(link);
  const quote = el("blockquote", {}, found.before ?? "", el("mark", {}, found.marked), found.after ?? "");
  if (found.kind === "rows") return rows(found);
  if (found.kind === "page" && found.picture) return page(found);
  if (found.kind === "sound" && found.sound) {
    const source = URL.createObjectURL(await (await answer(found.sound)).blob());
    return el("div", {}, quote, el("audio", { controls: true, src: source, "aria-label": "The stretch as it was said" }));
  }
  return quote;
}

function rows(found: Place): HTMLElement {
  const head = found.columns?.length
    ? el("thead", {}, el("tr", {}, el("th", {}, "row"), ...found.columns.map((name) => el("th", { scope: "col" }, name))))
    : null;
  const body = (found.rows ?? []).map((row) =>
    el("tr", { class: row.marked ? "marked" : "" }, el("th", { scope: "row" }, String(row.row)), ...row.cells.map((own) => el("td", {}, own))),
  );
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rows of the table" }, el("table", {}, head, el("tbody", {}, ...body)));
}

/** The page with its box drawn over it; the box is in pixels of the picture as it was read. The part around the box is shown first. */
async function page(found: Place): Promise<HTMLElement> {
  const picture = await createImageBitmap(await (await answer(found.picture!)).blob());
  const sheet = el("canvas", { role: "img", "aria-label": `Page with a box around: ${found.marked}` });
  sheet.width = picture.width;
  sheet.height = picture.height;
  const pen = sheet.getContext("2d")!;
  pen.drawImage(picture, 0, 0);
  const [left, top, right, bottom] = found.box!;
  pen.lineWidth = Math.max(2, picture.width / 300);
  pen.strokeStyle = "#c2410c";
  pen.fillStyle = "rgba(255, 200, 0, 0.25)";
  pen.fillRect(left, top, right - left, bottom - top);
  pen.strokeRect(left - 2, top - 2, right - left + 4, bottom - top + 4);
  const view = el("div", { class: "page", tabindex: 0, role: "region", "aria-label": "The page" }, sheet);
  requestAnimationFrame(() => (view.scrollTop = ((top + bottom) / 2 / picture.height) * sheet.clientHeight - view.clientHeight / 2));
  return el("div", {}, el("p", {}, el("mark", {}, found.marked)), view);
}

function run(own: Record<string, unknown>): HTMLElement {
  const plain = Object.entries(own).filter(([, value]) => ["string", "number"].includes(typeof value));
  const lines = plain.map(([name, value]) => [el("dt", {}, name), el("dd", {}, cell(value))]).flat();
  return el("details", {}, el("summary", {}, `run ${String(own["run"]).slice(0, 12)}`), el("dl", {}, ...lines));
}
