// Relations a model expects and no source states yet, most probable first.
// @param relation: string = LENDS_TO  the relation expected
// @param at_least: float = 0.0  smallest score shown
// @param top: int = 20  rows shown
// @example relation=LENDS_TO at_least=0.8
MATCH (a:Entity)-[r:PREDICTED]->(b:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND r.key = $relation AND r.score >= $at_least
  AND NOT EXISTS {
    MATCH (a)-[q]->(b)
    WHERE type(q) = $relation
      AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
      AND q.published <= $published AND q.published_to > $published
  }
RETURN a.id AS source, b.id AS target, r.score AS score, r.extractor AS model, r.document AS run, r.id AS edge
ORDER BY score DESC, source, target LIMIT $top
