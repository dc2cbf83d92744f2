// How alike two investors are: companies both invested in over companies either invested in (Jaccard), in the window.
// @param a: string  one investor
// @param b: string  the other
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @example a=person:7 b=person:9
OPTIONAL MATCH (p:Entity {id: $a})-[x:OWNS]->(c:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.valid_from > $after AND x.valid_from < $before
WITH collect(DISTINCT c.id) AS one
OPTIONAL MATCH (p:Entity {id: $b})-[y:OWNS]->(c:Entity)
WHERE y.valid_from <= $valid AND y.valid_to > $valid AND y.known_from <= $known AND y.known_to > $known
  AND y.published <= $published AND y.published_to > $published
  AND y.valid_from > $after AND y.valid_from < $before
WITH one, collect(DISTINCT c.id) AS other
WITH size([c IN one WHERE c IN other]) AS both, size(one) + size(other) AS sum
WITH both, sum - both AS either
RETURN CASE WHEN either = 0 THEN 0.0 ELSE ((2000 * both + either) / (2 * either)) / 1000.0 END AS similarity, both, either
ORDER BY similarity
