// Colours of a score: from blue over grey to yellow, told apart by people of every colour vision, light growing with it.
// The stops follow the published cividis map (Nunez, Anderton, Renslow, PLoS ONE 13(7), 2018).

const STOPS: [number, number, number][] = [
  [0, 32, 76], [0, 53, 112], [61, 77, 107], [97, 102, 111], [127, 127, 120], [160, 153, 117], [195, 181, 106], [232, 212, 85], [255, 234, 70],
];
export const UNKNOWN = "#b9c0c8";
export const GHOST = "#e4e7eb";
export const EDGE = "#b6bfc9";
export const FAINT = "#e3e7ec"; // edges where there are thousands
export const MARKED = "#c2410c";
export const FRESH = "#0b57a4";
export const GONE = "#f0c9b4";

export function colour(value: number | null | undefined, most: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const at = Math.min(1, Math.max(0, most ? value / most : 0)) * (STOPS.length - 1);
  const low = STOPS[Math.floor(at)]!;
  const high = STOPS[Math.ceil(at)]!;
  const part = at - Math.floor(at);
  return `rgb(${low.map((own, k) => Math.round(own + (high[k]! - own) * part)).join(",")})`;
}

export function gradient(): string {
  return `linear-gradient(to right, ${STOPS.map((_, k) => colour(k / (STOPS.length - 1), 1)).join(", ")})`;
}
