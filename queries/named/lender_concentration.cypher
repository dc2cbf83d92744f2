// On how few lenders each debtor depends: the Herfindahl index of its loans (1 is a single lender).
// @param currency: string = EUR  currency of the loans counted
// @param at_least: money = 0  smallest debt shown
// @example currency=EUR at_least=1000000
MATCH (l:Entity)-[r:LENDS_TO]->(d:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND r.currency = $currency AND l.id <> d.id
WITH d, l, sum(r.amount_minor) AS owed
WITH d, sum(owed) AS total, collect(owed) AS parts
WHERE total >= $at_least AND total > 0
RETURN d.id AS debtor, d.label AS label, total AS owed_minor, size(parts) AS lenders,
  reduce(h = 0.0, x IN parts | h + (1.0 * x / total) * (1.0 * x / total)) AS herfindahl
ORDER BY herfindahl DESC, debtor
