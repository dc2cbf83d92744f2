// What an entity would lose by each counterparty: loans and other exposures, summed by currency, largest first.
// @param id: string  the creditor
// @param at_least: money = 0  smallest sum shown
// @example id=lei:5299000J2N45DDNE4Y28
MATCH (c:Entity {id: $id})-[r:LENDS_TO|EXPOSED_TO]->(d:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND r.amount_minor IS NOT NULL
WITH d, r.currency AS currency, sum(r.amount_minor) AS owed_minor, count(r) AS claims
WHERE owed_minor >= $at_least
RETURN d.id AS counterparty, d.label AS label, currency, owed_minor, claims
ORDER BY owed_minor DESC, counterparty, currency
