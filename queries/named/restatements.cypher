// Whose reported figure is another one than at an earlier date of our knowledge, and by how much.
// @param property: string = equity  the figure
// @clock known_before  the earlier date; the later one is the known time of the question
// @example property=equity known_before=2024-01-01
MATCH (g:Fact)<-[q:HAS_FACT]-(n:Entity)-[r:HAS_FACT]->(f:Fact)
WHERE q.property = $property AND r.property = $property AND q.key = r.key AND g.id <> f.id
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known_before AND q.known_to > $known_before
  AND q.published <= $published AND q.published_to > $published
  AND r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND g.currency = f.currency
RETURN n.id AS entity, r.key AS period, f.currency AS currency, g.amount_minor AS before_minor, f.amount_minor AS now_minor,
  f.amount_minor - g.amount_minor AS change_minor, r.document AS document
ORDER BY entity, period
