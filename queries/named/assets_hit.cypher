// Who was hit by events of a type that run at the instant asked about: how, where, and what is lent to them then.
// @param event_type: string  type of event, such as flood
// @param since: time = 2000-01-01  first event looked at
// @example event_type=flood since=2024-01-01
MATCH (n:Entity)-[a:AFFECTED_BY]->(e:Entity)-[t:HAS_FACT]->(f:Fact)
WHERE t.property = 'event_type' AND f.text = $event_type AND a.valid_from >= $since
  AND a.valid_from <= $valid AND a.valid_to > $valid AND a.known_from <= $known AND a.known_to > $known
  AND a.published <= $published AND a.published_to > $published
  AND t.valid_from <= $valid AND t.valid_to > $valid AND t.known_from <= $known AND t.known_to > $known
  AND t.published <= $published AND t.published_to > $published
WITH DISTINCT n, a, e
OPTIONAL MATCH (l:Entity)-[r:LENDS_TO]->(n)
WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND r.amount_minor IS NOT NULL
WITH n, a, e, coalesce(r.currency, '') AS currency, sum(r.amount_minor) AS lent_minor, count(r) AS loans
OPTIONAL MATCH (e)-[x:HAS_FACT]->(north:Fact)
WHERE x.property = 'latitude'
  AND x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
OPTIONAL MATCH (e)-[y:HAS_FACT]->(east:Fact)
WHERE y.property = 'longitude' AND y.key = x.key
  AND y.valid_from <= $valid AND y.valid_to > $valid AND y.known_from <= $known AND y.known_to > $known
  AND y.published <= $published AND y.published_to > $published
OPTIONAL MATCH (e)-[z:HAS_FACT]->(reach:Fact)
WHERE z.property = 'radius' AND z.key = x.key
  AND z.valid_from <= $valid AND z.valid_to > $valid AND z.known_from <= $known AND z.known_to > $known
  AND z.published <= $published AND z.published_to > $published
RETURN e.id AS happening, n.id AS entity, a.role AS role, a.valid_from AS happened, coalesce(x.key, '') AS place,
  north.number AS latitude, east.number AS longitude, reach.number AS radius, currency, lent_minor, loans,
  a.id AS edge, a.document AS document, a.quote AS quote
ORDER BY happening, entity, edge, place, currency
