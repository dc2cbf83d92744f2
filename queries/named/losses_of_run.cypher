// Who loses what in a stress run, by scenario, most first: with the equity left, whether it fails, and the range of the loss.
// @param run: string  first 12 digits of the run, see risk_runs, or all of them
// @param top: int = 100  rows shown
// @example run=3fa90c11d2e4
MATCH (n:Entity)-[s:HAS_SCORE]->(v:Score)
WHERE s.property IN ['contagion_loss', 'rank_score'] AND substring(s.key, 0, 13) = substring($run, 0, 12) + ':'
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
OPTIONAL MATCH (n)-[e:HAS_SCORE]->(w:Score)
WHERE e.property = 'equity_after' AND e.key = s.key
  AND e.valid_from <= $valid AND e.valid_to > $valid AND e.known_from <= $known AND e.known_to > $known
  AND e.published <= $published AND e.published_to > $published
OPTIONAL MATCH (n)-[f:HAS_SCORE]->(x:Score)
WHERE f.property = 'fails' AND f.key = s.key
  AND f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
OPTIONAL MATCH (n)-[l:HAS_SCORE]->(y:Score)
WHERE l.property = 'loss_low' AND l.key = s.key
  AND l.valid_from <= $valid AND l.valid_to > $valid AND l.known_from <= $known AND l.known_to > $known
  AND l.published <= $published AND l.published_to > $published
OPTIONAL MATCH (n)-[h:HAS_SCORE]->(z:Score)
WHERE h.property = 'loss_high' AND h.key = s.key
  AND h.valid_from <= $valid AND h.valid_to > $valid AND h.known_from <= $known AND h.known_to > $known
  AND h.published <= $published AND h.published_to > $published
RETURN n.id AS entity, n.label AS label, substring(s.key, 13) AS scenario, v.amount_minor AS loss_minor, w.amount_minor AS equity_minor,
  coalesce(x.number, 0) > 0 AS fails, y.amount_minor AS low_minor, z.amount_minor AS high_minor, v.currency AS currency, v.number AS score,
  s.quote AS said, s.document AS document, s.statement AS statement
ORDER BY scenario, loss_minor DESC, score DESC, entity, statement LIMIT $top
