// Early warnings of an entity, newest first: the index, the threshold of its run, whether it is an alarm, and why.
// @param id: string  the entity
// @example id=lei:5299000J2N45DDNE4Y28
MATCH (n:Entity {id: $id})-[s:HAS_SCORE]->(v:Score), (n)-[a:HAS_SCORE]->(w:Score), (d:Document)-[q:HAS_SCORE]->(b:Score)
WHERE s.property = 'warning' AND a.property = 'alarm' AND a.key = s.key AND q.property = 'run_question' AND substring(d.id, 4, 12) = s.key
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
  AND a.valid_from <= $valid AND a.valid_to > $valid AND a.known_from <= $known AND a.known_to > $known
  AND a.published <= $published AND a.published_to > $published
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
RETURN s.valid_from AS date, s.key AS run, v.number AS warning, w.number AS threshold, v.number > w.number AS alarm, s.quote AS why,
  b.text AS question, s.statement AS statement
ORDER BY date DESC, run, warning, threshold, statement, question
