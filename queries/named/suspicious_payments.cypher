// Payments that a detector suspects of laundering, likeliest first: probability, interval, the run that says so, the row behind.
// @param least: float = 0.0  smallest probability shown
// @param since: time = 0001-01-01  first payment looked at
// @param top: int = 100  rows shown
// @example least=0.9 since=2023-01-01
MATCH (a:Entity)-[s:HAS_SCORE]->(v:Score)
WHERE s.property IN ['laundering', 'laundering_low', 'laundering_high']
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
WITH a, s.key AS payment,
  max(CASE WHEN s.property = 'laundering' THEN v.number END) AS probability,
  max(CASE WHEN s.property = 'laundering' THEN s.statement END) AS statement,
  max(CASE WHEN s.property = 'laundering_low' THEN v.number END) AS low,
  max(CASE WHEN s.property = 'laundering_high' THEN v.number END) AS high,
  max(CASE WHEN s.property = 'laundering_low' THEN s.document END) AS run,
  max(CASE WHEN s.property = 'laundering_low' THEN s.quote END) AS said
WHERE probability >= $least AND low IS NOT NULL AND high IS NOT NULL
MATCH (a)-[p:PAID]->(b:Entity)
WHERE p.statement = payment AND p.valid_from >= $since
  AND p.valid_from <= $valid AND p.valid_to > $valid AND p.known_from <= $known AND p.known_to > $known
  AND p.published <= $published AND p.published_to > $published
RETURN a.id AS payer, b.id AS payee, p.valid_from AS paid, p.amount_minor AS amount_minor, p.currency AS currency,
  probability, low, high, run, said, p.document AS document, p.locator AS locator, p.quote AS quote, p.id AS edge, statement
ORDER BY probability DESC, edge, statement LIMIT $top
