// Which accounts of companies a person paid, and how much in all.
// @param id: string  the person
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @param truncation_limit: int = 10000  most transfers followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=person:7 after=2022-01-01 before=2022-04-01
MATCH (p:Entity {id: $id})-[h:HAS_ACCOUNT]->(a:Entity)
WHERE h.valid_from <= $valid AND h.valid_to > $valid AND h.known_from <= $known AND h.known_to > $known
  AND h.published <= $published AND h.published_to > $published
WITH DISTINCT a
MATCH (a)-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH a, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH a, collect([m.id, x.amount_minor])[0..$truncation_limit] AS every
UNWIND every AS e
WITH e[0] AS account, sum(e[1]) AS paid_minor
MATCH (o:Entity)-[g:HAS_ACCOUNT]->(c:Entity {id: account})
WHERE g.valid_from <= $valid AND g.valid_to > $valid AND g.known_from <= $known AND g.known_to > $known
  AND g.published <= $published AND g.published_to > $published
  AND o.label IN ['Company', 'Bank', 'Fund']
RETURN DISTINCT account, paid_minor
ORDER BY paid_minor DESC, account
