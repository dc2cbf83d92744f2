// Who loses if an entity fails, up to three loans away: the most that one route can carry is its smallest claim.
// @param id: string  the entity that fails
// @param currency: string = EUR  currency of the claims followed
// @example id=lei:5299000J2N45DDNE4Y28 currency=EUR
MATCH p = (c:Entity)-[:LENDS_TO|EXPOSED_TO*1..3]->(f:Entity {id: $id})
WHERE c.id <> $id
  AND all(x IN relationships(p) WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.currency = $currency)
WITH c, length(p) AS hops,
  reduce(m = 9000000000000000000, x IN relationships(p) | CASE WHEN x.amount_minor < m THEN x.amount_minor ELSE m END) AS carries
RETURN c.id AS creditor, c.label AS label, min(hops) AS nearest, count(carries) AS routes, max(carries) AS at_risk_minor
ORDER BY at_risk_minor DESC, creditor
