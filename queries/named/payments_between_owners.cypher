// To whom an entity paid through whichever accounts: payments summed by the owner of the receiving account.
// @param id: string  the owner of the paying accounts
// @param since: time = 2000-01-01  first payment looked at
// @example id=lei:5299000J2N45DDNE4Y28 since=2023-01-01
MATCH (n:Entity {id: $id})-[h:HAS_ACCOUNT]->(x:Entity)-[p:PAID]->(y:Entity)<-[g:HAS_ACCOUNT]-(o:Entity)
WHERE h.valid_from <= $valid AND h.valid_to > $valid AND h.known_from <= $known AND h.known_to > $known
  AND h.published <= $published AND h.published_to > $published
  AND p.valid_from <= $valid AND p.valid_to > $valid AND p.known_from <= $known AND p.known_to > $known
  AND p.published <= $published AND p.published_to > $published
  AND g.valid_from <= $valid AND g.valid_to > $valid AND g.known_from <= $known AND g.known_to > $known
  AND g.published <= $published AND g.published_to > $published
  AND p.valid_from >= $since
RETURN o.id AS receiver, o.label AS label, p.currency AS currency, sum(p.amount_minor) AS paid_minor, count(p) AS payments,
  min(p.valid_from) AS first, max(p.valid_from) AS last
ORDER BY paid_minor DESC, receiver, currency
