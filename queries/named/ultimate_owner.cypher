// Who stands at the top of a company: owners that nobody owns in turn, with the shares of all their chains summed.
// @param id: string  the company owned
// @example id=lei:5299000J2N45DDNE4Y28
MATCH p = (o:Entity)-[:OWNS*1..4]->(c:Entity {id: $id})
WHERE all(x IN relationships(p) WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.share IS NOT NULL)
  AND NOT EXISTS {
    MATCH (above:Entity)-[q:OWNS]->(o)
    WHERE q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
      AND q.published <= $published AND q.published_to > $published
  }
WITH o, sum(reduce(s = 1.0, x IN relationships(p) | s * x.share)) AS effective, count(p) AS chains, min(length(p)) AS nearest
RETURN o.id AS owner, o.label AS label, effective, chains, nearest
ORDER BY effective DESC, owner
