// How documents spoke of an entity, day of publication by day: mean tone (-1 to 1), and the document that was worst.
// @param id: string  the entity
// @param since: time = 2000-01-01  first day looked at
// @example id=lei:5299000J2N45DDNE4Y28 since=2024-01-01
MATCH (n:Entity {id: $id})-[s:HAS_SCORE]->(v:Score)
WHERE s.property = 'sentiment' AND s.valid_from >= $since
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
WITH s, v
ORDER BY v.number, s.key
WITH substring(s.valid_from, 0, 10) AS day, avg(v.number) AS mean, collect(v.number) AS tones, collect(s.key) AS keys, collect(s.quote) AS quotes,
  collect(s.id) AS edges
RETURN day, mean, size(tones) AS documents, tones[0] AS lowest, keys[0] AS document, quotes[0] AS quote,
  edges[0] AS edge
ORDER BY day
