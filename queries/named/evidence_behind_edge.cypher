// What stands behind a relation between two entities: document, place, words, extractor, and how many disagree.
// @param source: string  where the relation starts
// @param relation: string = LENDS_TO  its type
// @param target: string  where it ends
// @example source=lei:5299000J2N45DDNE4Y28 relation=OWNS target=lei:529900T8BM49AURSDO55
MATCH (a:Entity {id: $source})-[r]->(b:Entity {id: $target})
WHERE type(r) = $relation
  AND r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
RETURN r.id AS edge, r.key AS edge_key, r.document AS document, r.locator AS locator, r.quote AS quote, r.extractor AS extractor,
  r.confidence AS confidence, r.statement AS statement, size(r.claims) AS claims, r.conflict AS conflicts
ORDER BY edge
