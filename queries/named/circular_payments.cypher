// Money that comes back: three or four payments in ascending time around a circle of different parties.
// @param since: time = 2000-01-01  first payment looked at
// @param at_least: money = 0  smallest payment in the circle
// @example since=2023-01-01 at_least=10000
MATCH (a:Entity)-[p1:PAID]->(b:Entity)-[p2:PAID]->(c:Entity)-[p3:PAID]->(d:Entity)
WHERE p1.valid_from <= $valid AND p1.valid_to > $valid AND p1.known_from <= $known AND p1.known_to > $known
  AND p1.published <= $published AND p1.published_to > $published
  AND p2.valid_from <= $valid AND p2.valid_to > $valid AND p2.known_from <= $known AND p2.known_to > $known
  AND p2.published <= $published AND p2.published_to > $published
  AND p3.valid_from <= $valid AND p3.valid_to > $valid AND p3.known_from <= $known AND p3.known_to > $known
  AND p3.published <= $published AND p3.published_to > $published
  AND p1.valid_from >= $since AND p1.valid_from < p2.valid_from AND p2.valid_from < p3.valid_from
  AND p1.amount_minor >= $at_least AND p2.amount_minor >= $at_least AND p3.amount_minor >= $at_least
  AND p1.currency = p2.currency AND p2.currency = p3.currency
  AND a.id <> b.id AND a.id <> c.id AND b.id <> c.id AND d.id <> b.id AND d.id <> c.id
OPTIONAL MATCH (d)-[p4:PAID]->(a)
WHERE p4.valid_from <= $valid AND p4.valid_to > $valid AND p4.known_from <= $known AND p4.known_to > $known
  AND p4.published <= $published AND p4.published_to > $published
  AND d.id <> a.id AND p4.valid_from > p3.valid_from AND p4.amount_minor >= $at_least AND p4.currency = p3.currency
WITH a, b, c, d, p1, p2, p3, p4
WHERE d.id = a.id OR p4 IS NOT NULL
RETURN a.id AS first, b.id AS second, c.id AS third, CASE WHEN p4 IS NULL THEN '' ELSE d.id END AS fourth,
  p1.valid_from AS started, coalesce(p4.valid_from, p3.valid_from) AS ended, p1.currency AS currency,
  p1.amount_minor AS sent_minor, coalesce(p4.amount_minor, p3.amount_minor) AS returned_minor,
  p1.id AS edge1, p2.id AS edge2, p3.id AS edge3, coalesce(p4.id, '') AS edge4
ORDER BY started, edge1, edge2, edge3, edge4
