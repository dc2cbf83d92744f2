// Runs of the engine that are in the graph, newest first: what was computed, of which commit, asked what, and the loss in all.
// @param name: string = ""  only this measure, figure or index, such as eisenberg_noe
// @param top: int = 50  rows shown
// @example name=eisenberg_noe top=10
MATCH (d:Document)-[m:HAS_SCORE]->(a:Score), (d)-[q:HAS_SCORE]->(b:Score), (d)-[c:HAS_SCORE]->(n:Score)
WHERE m.property = 'run' AND q.property = 'run_question' AND c.property = 'run_commit' AND ($name = '' OR a.text = $name)
  AND m.valid_from <= $valid AND m.valid_to > $valid AND m.known_from <= $known AND m.known_to > $known
  AND m.published <= $published AND m.published_to > $published
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
  AND c.valid_from <= $valid AND c.valid_to > $valid AND c.known_from <= $known AND c.known_to > $known
  AND c.published <= $published AND c.published_to > $published
OPTIONAL MATCH (d)-[t:HAS_SCORE]->(v:Score)
WHERE t.property = 'run_total'
  AND t.valid_from <= $valid AND t.valid_to > $valid AND t.known_from <= $known AND t.known_to > $known
  AND t.published <= $published AND t.published_to > $published
RETURN substring(d.id, 4, 12) AS run, m.key AS kind, a.text AS name, toInteger(n.number) AS commit, coalesce(t.key, '') AS scenario,
  v.amount_minor AS total_minor, v.currency AS currency, b.text AS question, m.valid_from AS valid, m.published AS published
ORDER BY published DESC, run, kind, scenario, question, commit, total_minor LIMIT $top
