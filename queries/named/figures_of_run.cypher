// Numbers that a figure was published with, such as the expected loss of each debtor, by figure, column and entity.
// @param run: string  first 12 digits of the run, see risk_runs, or all of them
// @param label: string = ""  only one kind of entity, such as Company
// @param top: int = 200  rows shown
// @example run=3fa90c11d2e4 label=Company
MATCH (l:Fact)<-[k:HAS_FACT]-(n:Entity)-[s:HAS_SCORE]->(v:Score), (d:Document)-[q:HAS_SCORE]->(b:Score)
WHERE k.property = 'label' AND s.property = 'figure' AND q.property = 'run_question' AND ($label = '' OR l.text = $label)
  AND split(s.key, '|')[1] = substring($run, 0, 12) AND substring(d.id, 4, 12) = substring($run, 0, 12)
  AND k.valid_from <= $valid AND k.valid_to > $valid AND k.known_from <= $known AND k.known_to > $known
  AND k.published <= $published AND k.published_to > $published
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
RETURN n.id AS entity, l.text AS label, split(s.key, '|')[0] AS figure, v.number AS value, b.text AS question, s.document AS document,
  s.statement AS statement
ORDER BY figure, value DESC, entity, statement, question LIMIT $top
