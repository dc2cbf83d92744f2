// Loans that come and go through an account: drawn over repaid, drawn over sent, received over sent (-1: nothing below the line).
// @param id: string  the account
// @param above: money = 0  smaller amounts, and equal ones, do not count
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @param truncation_limit: int = 10000  most transfers followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=acct:7 above=1000 after=2022-01-01 before=2022-02-01
MATCH (a:Entity {id: $id})
OPTIONAL MATCH (a)<-[x:PAID]-(l:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'deposit' AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
  AND x.amount_minor > $above
WITH a, sum(x.amount_minor) AS drawn
OPTIONAL MATCH (a)-[x:PAID]->(l:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'repay' AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
  AND x.amount_minor > $above
WITH a, drawn, sum(x.amount_minor) AS repaid
OPTIONAL MATCH (a)<-[x:PAID]-(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH a, drawn, repaid, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH a, drawn, repaid, collect([m.id, x.amount_minor])[0..$truncation_limit] AS every
WITH a, drawn, repaid, [e IN every WHERE e[1] > $above] AS ins
OPTIONAL MATCH (a)-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH a, drawn, repaid, ins, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH a, drawn, repaid, ins, collect([m.id, x.amount_minor])[0..$truncation_limit] AS every
WITH a, drawn, repaid, ins, [e IN every WHERE e[1] > $above] AS outs
WITH drawn, repaid, reduce(t = 0, e IN ins | t + e[1]) AS received, reduce(t = 0, e IN outs | t + e[1]) AS sent
RETURN CASE WHEN repaid = 0 THEN -1.0 ELSE ((2000 * drawn + repaid) / (2 * repaid)) / 1000.0 END AS drawn_over_repaid,
  CASE WHEN sent = 0 THEN -1.0 ELSE ((2000 * drawn + sent) / (2 * sent)) / 1000.0 END AS drawn_over_sent,
  CASE WHEN sent = 0 THEN -1.0 ELSE ((2000 * received + sent) / (2 * sent)) / 1000.0 END AS received_over_sent
ORDER BY drawn_over_repaid
