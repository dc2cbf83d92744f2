// Who supplies whom up to three tiers before a company, and in which country each of them sits.
// @param id: string  the company supplied
// @example id=lei:5299000J2N45DDNE4Y28
MATCH p = (s:Entity)-[:SUPPLIES*1..3]->(c:Entity {id: $id}), (s)-[k:IN_COUNTRY]->(w:Entity)
WHERE s.id <> $id
  AND all(x IN relationships(p) WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published)
  AND k.valid_from <= $valid AND k.valid_to > $valid AND k.known_from <= $known AND k.known_to > $known
  AND k.published <= $published AND k.published_to > $published
RETURN s.id AS supplier, w.id AS country, min(length(p)) AS tier, count(p) AS routes
ORDER BY tier, supplier, country
