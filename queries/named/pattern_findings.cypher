// What patterns of laundering were found and saved, worst first: whom it is about, the score, and the edges it stands on.
// @param pattern: string = ""  only this pattern, such as cycles; see `kgrisk patterns`
// @param since: time = 0001-01-01  only findings that ended at this time or later
// @param least: float = 0.0  smallest score shown
// @param top: int = 100  rows shown
// @example pattern=cycles least=0.5
MATCH (n:Entity)-[s:HAS_SCORE]->(v:Score)
WHERE s.property = 'finding' AND s.valid_from >= $since AND v.number >= $least AND ($pattern = '' OR split(s.key, '|')[0] = $pattern)
  AND s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known AND s.known_to > $known
  AND s.published <= $published AND s.published_to > $published
MATCH (n)-[k:HAS_SCORE]->(e:Score)
WHERE k.property = 'finding_edge' AND split(k.key, '|')[1] = split(s.key, '|')[1]
  AND k.valid_from <= $valid AND k.valid_to > $valid AND k.known_from <= $known AND k.known_to > $known
  AND k.published <= $published AND k.published_to > $published
WITH n, s, v, k, e
ORDER BY e.number, k.key
WITH n, s, v, collect(split(k.key, '|')[2]) AS parts
RETURN split(s.key, '|')[0] AS pattern, split(s.key, '|')[1] AS finding, n.id AS subject, v.number AS score, s.valid_from AS ended,
  size(parts) AS edges, reduce(t = '', x IN parts | t + x + ' ') AS stands_on, substring(s.document, 0, 12) AS run,
  s.quote AS said, s.statement AS statement
ORDER BY score DESC, finding, subject LIMIT $top
