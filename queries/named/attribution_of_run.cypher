// By which paths the losses of a stress run came, in money: each path with its share of the loss of who stands at its end.
// @param run: string  first 12 digits of the run of losses or of its attribution, see risk_runs, or all of them
// @param top: int = 50  rows shown
// @example run=3fa90c11d2e4
MATCH (n:Entity)-[s:HAS_SCORE]->(v:Score), (n)-[k:HAS_FACT]->(l:Fact)
WHERE s.property = 'path_loss' AND k.property = 'label'
  AND (substring(s.key, 0, 13) = substring($run, 0, 12) + ':' OR substring(s.document, 0, 12) = substring($run, 0, 12))
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
  AND k.valid_from <= $valid AND k.valid_to > $valid AND k.known_from <= $known AND k.known_to > $known
  AND k.published <= $published AND k.published_to > $published
OPTIONAL MATCH (n)-[w:HAS_SCORE]->(x:Score)
WHERE w.property = 'contagion_loss' AND substring(s.key, 0, size(w.key) + 1) = w.key + ':'
  AND w.valid_from <= $valid AND w.valid_to > $valid AND w.known_from <= $known AND w.known_to > $known
  AND w.published <= $published AND w.published_to > $published
RETURN n.id AS entity, l.text AS label, s.key AS place, v.amount_minor AS path_minor, x.amount_minor AS loss_minor, v.currency AS currency,
  1.0 * v.amount_minor / x.amount_minor AS share, s.quote AS path, s.document AS document, s.statement AS statement
ORDER BY path_minor DESC, place, entity, statement, loss_minor LIMIT $top
