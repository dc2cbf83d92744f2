// Relations on whose amount or share sources disagree: what won, and how many others there are.
// @param top: int = 50  rows shown
// @example top=20
MATCH (a:Entity)-[r:LENDS_TO|EXPOSED_TO|OWNS|SUPPLIES]->(b:Entity)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND r.conflict > 0
RETURN type(r) AS relation, a.id AS source, b.id AS target, r.key AS edge_key, r.conflict AS conflicts, r.amount_minor AS amount_minor,
  r.share AS share, r.extractor AS winner, r.statement AS statement, r.id AS edge
ORDER BY conflicts DESC, edge LIMIT $top
