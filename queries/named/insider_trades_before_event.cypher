// Trades of officers in their own company's securities before an event hit the company, summed by side.
// @param since: time = 2000-01-01  first trade day looked at
// @param event: string = ""  one event only; empty for all
// @example since=2023-01-01
MATCH (e:Entity)<-[a:AFFECTED_BY]-(c:Entity)<-[o:OFFICER_OF]-(p:Entity)-[t:TRADED]->(s:Entity)<-[i:ISSUED]-(c)
WHERE a.valid_from <= $valid AND a.valid_to > $valid AND a.known_from <= $known AND a.known_to > $known
  AND a.published <= $published AND a.published_to > $published
  AND o.valid_from <= $valid AND o.valid_to > $valid AND o.known_from <= $known AND o.known_to > $known
  AND o.published <= $published AND o.published_to > $published
  AND t.valid_from <= $valid AND t.valid_to > $valid AND t.known_from <= $known AND t.known_to > $known
  AND t.published <= $published AND t.published_to > $published
  AND i.valid_from <= $valid AND i.valid_to > $valid AND i.known_from <= $known AND i.known_to > $known
  AND i.published <= $published AND i.published_to > $published
  AND t.valid_from >= $since AND t.valid_from < a.valid_from AND ($event = '' OR e.id = $event)
WITH DISTINCT p, c, e, t
RETURN p.id AS insider, c.id AS company, e.id AS happening, t.role AS side, t.currency AS currency, count(t) AS trades,
  sum(t.amount_minor) AS traded_minor, max(t.valid_from) AS last_trade
ORDER BY happening, insider, company, side, currency
