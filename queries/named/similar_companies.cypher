// Entities with the same lenders and suppliers: partners shared, over partners of either (Jaccard).
// @param id: string  the entity compared
// @param top: int = 10  rows shown
// @example id=lei:5299000J2N45DDNE4Y28
MATCH (a:Entity {id: $id})<-[r:LENDS_TO|SUPPLIES]-(x:Entity)-[q:LENDS_TO|SUPPLIES]->(b:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
  AND b.id <> $id
WITH a, b, count(DISTINCT x.id) AS shared
MATCH (y:Entity)-[s:LENDS_TO|SUPPLIES]->(b)
WHERE s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
WITH a, b, shared, count(DISTINCT y.id) AS theirs
MATCH (z:Entity)-[t:LENDS_TO|SUPPLIES]->(a)
WHERE t.valid_from <= $valid AND t.valid_to > $valid AND t.known_from <= $known AND t.known_to > $known
  AND t.published <= $published AND t.published_to > $published
WITH b, shared, theirs, count(DISTINCT z.id) AS own
RETURN b.id AS similar, b.label AS label, shared, 1.0 * shared / (own + theirs - shared) AS jaccard
ORDER BY jaccard DESC, shared DESC, similar LIMIT $top
