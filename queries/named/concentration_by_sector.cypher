// How a lender's book splits over the sectors of its debtors: sum and share of what is lent to each.
// @param id: string  the lender
// @param currency: string = EUR  currency of the loans counted
// @example id=lei:5299000J2N45DDNE4Y28 currency=EUR
MATCH (n:Entity {id: $id})-[r:LENDS_TO]->(d:Entity)-[s:IN_SECTOR]->(g:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
  AND r.currency = $currency
WITH g.id AS sector, sum(r.amount_minor) AS lent, count(DISTINCT d.id) AS debtors
WITH collect([sector, lent, debtors]) AS parts, sum(lent) AS total
UNWIND parts AS part
RETURN part[0] AS sector, part[1] AS lent_minor, part[2] AS debtors, 1.0 * part[1] / total AS share
ORDER BY lent_minor DESC, sector
