// Claims on debtors that were the subject of a distress event, summed by creditor and event.
// @param kinds: list<string> = default,bankruptcy,distress  event types that count
// @param since: time = 2000-01-01  first event looked at
// @example kinds=default,bankruptcy since=2023-01-01
MATCH (n:Entity)-[r:LENDS_TO|EXPOSED_TO]->(d:Entity)-[a:AFFECTED_BY]->(e:Entity)-[t:HAS_FACT]->(f:Fact)
WHERE t.property = 'event_type' AND f.text IN $kinds AND a.role = 'subject' AND a.valid_from >= $since
  AND r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
  AND a.valid_from <= $valid AND a.valid_to > $valid AND a.known_from <= $known AND a.known_to > $known
  AND a.published <= $published AND a.published_to > $published
  AND t.valid_from <= $valid AND t.valid_to > $valid AND t.known_from <= $known AND t.known_to > $known
  AND t.published <= $published AND t.published_to > $published
  AND r.amount_minor IS NOT NULL
RETURN n.id AS creditor, d.id AS debtor, e.id AS happening, f.text AS kind, a.valid_from AS happened, r.currency AS currency,
  sum(r.amount_minor) AS owed_minor, count(r) AS claims
ORDER BY owed_minor DESC, creditor, debtor, happening, currency, kind, happened
