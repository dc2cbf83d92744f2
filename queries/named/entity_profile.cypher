// Everything stated about one entity: names, facts and scores, each with its document.
// @param id: string  the entity
// @example id=lei:5299000J2N45DDNE4Y28
MATCH (n:Entity {id: $id})-[r:HAS_FACT|HAS_NAME|HAS_SCORE]->(v)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
RETURN r.property AS property, r.key AS period, CASE WHEN r.property = 'label' THEN n.label ELSE v.text END AS text, v.number AS number, v.amount_minor AS amount_minor,
  v.currency AS currency, r.valid_from AS since, r.document AS document, r.statement AS statement
ORDER BY property, period, statement
