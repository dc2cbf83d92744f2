// Companies that share people: officers, directors or large holders who sit in both.
// @param at_least: int = 1  smallest number of people shared
// @example at_least=2
MATCH (a:Entity)<-[r:OFFICER_OF]-(p:Entity)-[q:OFFICER_OF]->(b:Entity)
WHERE a.id < b.id
  AND r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
WITH DISTINCT a, b, p.id AS person
ORDER BY person
WITH a, b, count(person) AS shared, reduce(t = '', x IN collect(person) | t + x + ' ') AS people
WHERE shared >= $at_least
RETURN a.id AS one, b.id AS other, shared, people
ORDER BY shared DESC, one, other
