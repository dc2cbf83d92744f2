// Loans between two entities that share an officer, summed by the person who sits on both sides.
// @param at_least: money = 0  smallest sum shown
// @example at_least=1000000
MATCH (l:Entity)<-[o:OFFICER_OF]-(p:Entity)-[q:OFFICER_OF]->(d:Entity)<-[r:LENDS_TO]-(l)
WHERE l.id <> d.id
  AND o.valid_from <= $valid AND o.valid_to > $valid AND o.known_from <= $known AND o.known_to > $known
  AND o.published <= $published AND o.published_to > $published
  AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known AND q.known_to > $known
  AND q.published <= $published AND q.published_to > $published
  AND r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
  AND r.published <= $published AND r.published_to > $published
WITH DISTINCT p, l, d, r
WITH p, l, d, r.currency AS currency, sum(r.amount_minor) AS lent_minor, count(r) AS loans
WHERE lent_minor >= $at_least
RETURN p.id AS person, l.id AS lender, d.id AS borrower, currency, lent_minor, loans
ORDER BY lent_minor DESC, person, lender, borrower, currency
