// Who is most likely in distress within a year by the model's score, beside its latest equity.
// @param label: string = Company  kind of entity
// @param top: int = 20  rows shown
// @example label=Bank top=10
MATCH (l:Fact)<-[k:HAS_FACT]-(n:Entity)-[s:HAS_SCORE]->(v:Score)
WHERE n.label = $label AND k.property = 'label' AND s.property = 'distress'
  AND k.valid_from <= $valid AND k.valid_to > $valid AND k.known_from <= $known AND k.known_to > $known
  AND k.published <= $published AND k.published_to > $published
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
OPTIONAL MATCH (n)-[q:HAS_FACT]->(f:Fact)
WHERE q.property = 'equity'
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
WITH n, s, v, q, f
ORDER BY q.valid_from DESC, q.key DESC
WITH n, s, v, collect(f.amount_minor) AS amounts, collect(f.currency) AS currencies
RETURN n.id AS entity, v.number AS score, s.key AS model, amounts[0] AS equity_minor, currencies[0] AS currency, s.quote AS said
ORDER BY score DESC, entity, model LIMIT $top
