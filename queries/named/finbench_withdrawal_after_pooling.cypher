// Who withdrew to a card what many had paid in: accounts with more than three large transfers received, and their withdrawals.
// @param id: string  the card account
// @param paid_in_above: money = 0  smaller transfers received, and equal ones, do not count
// @param withdrawn_above: money = 0  smaller withdrawals, and equal ones, do not count
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @param truncation_limit: int = 10000  most transfers and withdrawals followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=acct:7 paid_in_above=1000 withdrawn_above=500
MATCH (c:Entity {id: $id})<-[x:PAID]-(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'withdraw' AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH collect([m.id, x.amount_minor])[0..$truncation_limit] AS withdrawn
UNWIND [w IN withdrawn WHERE w[1] > $withdrawn_above] AS w
WITH w[0] AS id, sum(w[1]) AS withdrawn_minor
MATCH (m:Entity {id: id})<-[x:PAID]-(s:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency AND s.id <> m.id
WITH id, withdrawn_minor, x
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH id, withdrawn_minor, collect(x.amount_minor)[0..$truncation_limit] AS every
WITH id, withdrawn_minor, [a IN every WHERE a > $paid_in_above] AS large
WHERE size(large) > 3
RETURN id AS account, reduce(t = 0, a IN large | t + a) AS paid_in_minor, withdrawn_minor
ORDER BY withdrawn_minor DESC, account
