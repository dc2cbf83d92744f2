// Where money went from an account: payments one after the other, up to four, with the least paid on the way.
// @param id: string  the account or party that paid first
// @param since: time = 2000-01-01  first payment looked at
// @example id=iban:DE89370400440532013000 since=2023-01-01
MATCH p = (a:Entity {id: $id})-[:PAID*1..4]->(z:Entity)
WHERE all(x IN relationships(p) WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.valid_from >= $since)
  AND all(i IN range(1, length(p) - 1) WHERE relationships(p)[i].valid_from > relationships(p)[i - 1].valid_from)
RETURN z.id AS receiver, length(p) AS hops,
  reduce(m = 9000000000000000000, x IN relationships(p) | CASE WHEN x.amount_minor < m THEN x.amount_minor ELSE m END) AS least_minor,
  reduce(t = '', x IN relationships(p) | t + x.id + ' ') AS trail
ORDER BY hops, trail
