// Documents and pages that name two entities, newest first, with the words that name each.
// @param a: string  one entity
// @param b: string  the other
// @example a=name:acme holdings plc b=name:borealis bank
MATCH (m:Entity {id: $a})-[r:MENTIONED_IN]->(d:Entity)<-[q:MENTIONED_IN]-(o:Entity {id: $b})
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
RETURN d.id AS document, d.label AS label, r.published AS published, r.quote AS words_a, q.quote AS words_b,
  r.locator AS place_a, q.locator AS place_b, r.id AS edge_a, q.id AS edge_b
ORDER BY published DESC, document, edge_a, edge_b
