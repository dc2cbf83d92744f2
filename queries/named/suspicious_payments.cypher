// Payments that a detector suspects of laundering, likeliest first: probability, interval, the run that says so, the row behind.
// @param least: float = 0.0  smallest probability shown
// @param since: time = 0001-01-01  first payment looked at
// @param top: int = 100  rows shown
// @example least=0.9 since=2023-01-01
MATCH (a:Entity)-[s:HAS_SCORE]->(v:Score)
WHERE s.property = 'laundering' AND v.number >= $least
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
WITH a, s, v
MATCH (a)-[p:PAID]->(b:Entity)
WHERE p.statement = s.key AND p.valid_from >= $since
  AND p.valid_from <= $valid AND p.valid_to > $valid AND p.known_from <= $known AND p.known_to > $known
  AND p.published <= $published AND p.published_to > $published
WITH a, s, v, p, b
MATCH (a)-[l:HAS_SCORE]->(w:Score)
WHERE l.property = 'laundering_low' AND l.key = s.key
  AND l.valid_from <= $valid AND l.valid_to > $valid AND l.known_from <= $known AND l.known_to > $known
  AND l.published <= $published AND l.published_to > $published
WITH a, s, v, p, b, l, w
MATCH (a)-[h:HAS_SCORE]->(u:Score)
WHERE h.property = 'laundering_high' AND h.key = s.key
  AND h.valid_from <= $valid AND h.valid_to > $valid AND h.known_from <= $known AND h.known_to > $known
  AND h.published <= $published AND h.published_to > $published
RETURN a.id AS payer, b.id AS payee, p.valid_from AS paid, p.amount_minor AS amount_minor, p.currency AS currency,
  v.number AS probability, w.number AS low, u.number AS high, l.document AS run, l.quote AS said,
  p.document AS document, p.locator AS locator, p.quote AS quote, p.id AS edge, s.statement AS statement
ORDER BY probability DESC, edge, statement LIMIT $top
