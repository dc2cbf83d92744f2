// All that documents said of an entity between two times, newest first: what is claimed, its words, place and certainty.
// @param id: string  the entity
// @param since: time = 0001-01-01  first instant of publication looked at
// @param until: time = 9999-12-31  instant of publication to stop before
// @example id=lei:5299000J2N45DDNE4Y28 since=2024-01-01
CALL {
  MATCH (n:Entity {id: $id})-[r]->(v)
  WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
    AND r.published <= $published AND r.published_to > $published
    AND r.published >= $since AND r.published < $until AND type(r) <> 'PREDICTED' AND type(r) <> 'HAS_EMBEDDING'
    AND coalesce(r.property, '') <> 'label' AND NOT split(r.extractor, '.')[0] IN ['model', 'risk']
  RETURN r.published AS published, r.document AS document, r.extractor AS extractor, r.locator AS locator, r.quote AS quote,
    coalesce(r.property, type(r)) AS says, 'of it' AS side, CASE WHEN r.property IS NULL THEN v.id ELSE v.text END AS what,
    r.role AS role, v.number AS number, coalesce(r.amount_minor, v.amount_minor) AS amount_minor, coalesce(r.currency, v.currency) AS currency,
    r.confidence AS confidence, r.valid_from AS valid_from, r.valid_to AS valid_to, r.known_from AS known_from, r.id AS edge, r.statement AS statement
  UNION ALL
  MATCH (m:Entity {id: $id})<-[s]-(o:Entity)
  WHERE s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
    AND s.published <= $published AND s.published_to > $published
    AND s.published >= $since AND s.published < $until AND type(s) <> 'PREDICTED' AND o.id <> m.id
  RETURN s.published AS published, s.document AS document, s.extractor AS extractor, s.locator AS locator, s.quote AS quote,
    type(s) AS says, 'to it' AS side, o.id AS what,
    s.role AS role, null AS number, s.amount_minor AS amount_minor, s.currency AS currency,
    s.confidence AS confidence, s.valid_from AS valid_from, s.valid_to AS valid_to, s.known_from AS known_from, s.id AS edge, s.statement AS statement
}
RETURN published, document, split(extractor, '.')[0] AS source, locator, quote, says, side, what, role, number, amount_minor, currency,
  confidence, valid_from, valid_to, known_from, edge, statement
ORDER BY published DESC, edge, statement
