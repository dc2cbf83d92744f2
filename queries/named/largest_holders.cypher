// Who holds most of an issuer's securities by reported value, over all its securities.
// @param id: string  the issuer
// @example id=lei:5299000J2N45DDNE4Y28
MATCH (c:Entity {id: $id})-[i:ISSUED]->(s:Entity)<-[r:HOLDS]-(h:Entity)
WHERE i.valid_from <= $valid AND i.valid_to > $valid AND i.known_from <= $known AND i.known_to > $known
  AND i.published <= $published AND i.published_to > $published
  AND r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
RETURN h.id AS holder, r.currency AS currency, sum(r.amount_minor) AS held_minor, count(r) AS positions,
  count(DISTINCT s.id) AS securities
ORDER BY held_minor DESC, holder, currency
