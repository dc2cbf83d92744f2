// What a scenario cost in all, and by kind of entity of the losses saved (those over --over): how many lose and fail, how much.
// @param scenario: string  the scenario, or the shock as it was given
// @example scenario=banks_lose_three_tenths
MATCH (d:Document)-[m:HAS_SCORE]->(a:Score), (d)-[t:HAS_SCORE]->(b:Score), (n:Entity)-[s:HAS_SCORE]->(v:Score), (n)-[k:HAS_FACT]->(l:Fact)
WHERE m.property = 'run' AND t.property = 'run_total' AND t.key = $scenario AND s.property = 'contagion_loss' AND k.property = 'label'
  AND s.key = substring(d.id, 4, 12) + ':' + $scenario
  AND m.valid_from <= $valid AND m.valid_to > $valid AND m.known_from <= $known AND m.known_to > $known
  AND m.published <= $published AND m.published_to > $published
  AND t.valid_from <= $valid AND t.valid_to > $valid AND t.known_from <= $known AND t.known_to > $known
  AND t.published <= $published AND t.published_to > $published
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
  AND k.valid_from <= $valid AND k.valid_to > $valid AND k.known_from <= $known AND k.known_to > $known
  AND k.published <= $published AND k.published_to > $published
OPTIONAL MATCH (n)-[f:HAS_SCORE]->(x:Score)
WHERE f.property = 'fails' AND f.key = s.key
  AND f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
RETURN substring(d.id, 4, 12) AS run, a.text AS measure, b.amount_minor AS total_minor, l.text AS label, count(s) AS losing_saved, count(f) AS failing_saved,
  sum(v.amount_minor) AS saved_minor, v.currency AS currency
ORDER BY run, measure, total_minor, saved_minor DESC, label
