// Who has a device, an address or an account in common with a party, and how many of each kind.
// @param id: string  the party
// @example id=person:1f0c
MATCH (n:Entity {id: $id})-[r:SHARES_IDENTIFIER]-(o:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
RETURN DISTINCT o.id AS other, o.label AS label, r.key AS kind, r.count AS shared, r.id AS edge, r.document AS document, r.quote AS quote
ORDER BY other, kind, edge
