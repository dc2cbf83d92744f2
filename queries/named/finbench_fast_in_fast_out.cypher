// Money that only passes through: how many paid an account, how many it paid, and received over sent (-1: nothing sent).
// @param id: string  the account
// @param above: money = 0  smaller transfers, and equal ones, do not count
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @param truncation_limit: int = 10000  most transfers followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=acct:7 above=1000 after=2022-01-01 before=2022-02-01
MATCH (a:Entity {id: $id})
OPTIONAL MATCH (m:Entity)-[x:PAID]->(a)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH a, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH a, collect([m.id, x.amount_minor])[0..$truncation_limit] AS every
WITH a, [e IN every WHERE e[1] > $above] AS ins
OPTIONAL MATCH (a)-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH a, ins, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH a, ins, collect([m.id, x.amount_minor])[0..$truncation_limit] AS every
WITH a, ins, [e IN every WHERE e[1] > $above] AS outs
UNWIND CASE WHEN size(ins) = 0 THEN [null] ELSE ins END AS i
WITH outs, count(DISTINCT i[0]) AS sources, sum(i[1]) AS received
UNWIND CASE WHEN size(outs) = 0 THEN [null] ELSE outs END AS o
WITH sources, received, count(DISTINCT o[0]) AS targets, sum(o[1]) AS sent
RETURN sources, targets, CASE WHEN sent = 0 THEN -1.0 ELSE ((2000 * received + sent) / (2 * sent)) / 1000.0 END AS in_over_out
ORDER BY sources
