// What we believed at an earlier date that an entity had lent, beside what we believe now.
// @param id: string  the lender
// @clock known_then  the earlier date
// @example id=lei:5299000J2N45DDNE4Y28 known_then=2024-01-01
MATCH (n:Entity {id: $id})-[r:LENDS_TO]->(d:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known_then AND r.known_to > $known_then
  AND r.published <= $published AND r.published_to > $published
OPTIONAL MATCH (n)-[q:LENDS_TO]->(d)
WHERE q.id = r.id
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
RETURN d.id AS debtor, r.id AS edge, r.currency AS currency, r.amount_minor AS then_minor, q.amount_minor AS now_minor,
  r.document AS document_then, r.quote AS quote_then
ORDER BY edge
