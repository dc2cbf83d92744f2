// Where a loan went: accounts reached by at most three transfers or withdrawals, each a good part of the one before, and their share.
// @param id: string  the loan account
// @param threshold: float = 0.0  a payment follows another if it is more than this part of it
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param truncation_limit: int = 10000  most transfers and withdrawals followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=acct:loan7 threshold=0.3
MATCH (l:Entity {id: $id})-[f:HAS_FACT]->(v:Fact)
WHERE f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
  AND f.property = 'fact' AND f.key = 'loan_amount'
WITH l, v.amount_minor AS lent, v.currency AS currency
MATCH (l)-[d:PAID]->(a:Entity)
WHERE d.valid_from <= $valid AND d.valid_to > $valid AND d.known_from <= $known AND d.known_to > $known
  AND d.published <= $published AND d.published_to > $published
  AND d.role = 'deposit' AND d.valid_from > $after AND d.valid_from < $before AND d.currency = currency
WITH lent, currency, [a.id, d.amount_minor, d.id] AS s0
WITH DISTINCT lent, currency, s0
OPTIONAL MATCH (n:Entity {id: s0[0]})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = currency
WITH lent, currency, s0, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH lent, currency, s0, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.amount_minor, x.id] END)[0..$truncation_limit] AS every
WITH lent, currency, s0, [t IN every WHERE t[1] > $threshold * s0[1] | t] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', 0, '']] ELSE next END AS s1
WITH DISTINCT lent, currency, s1
OPTIONAL MATCH (n:Entity {id: s1[0]})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = currency
WITH lent, currency, s1, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH lent, currency, s1, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.amount_minor, x.id] END)[0..$truncation_limit] AS every
WITH lent, currency, s1, [t IN every WHERE t[1] > $threshold * s1[1] | t] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', 0, '']] ELSE next END AS s2
WITH DISTINCT lent, currency, s1, s2
OPTIONAL MATCH (n:Entity {id: s2[0]})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = currency
WITH lent, currency, s1, s2, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH lent, currency, s1, s2, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.amount_minor, x.id] END)[0..$truncation_limit] AS every
WITH lent, currency, s1, s2, [t IN every WHERE t[1] > $threshold * s2[1] | t] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', 0, '']] ELSE next END AS s3
UNWIND [[s1[0], s1[1], s1[2], 2], [s2[0], s2[1], s2[2], 3], [s3[0], s3[1], s3[2], 4]] AS e
WITH DISTINCT lent, e
WHERE e[0] <> ''
WITH lent, e[0] AS account, e[1] AS amount, e[2] AS edge, min(e[3]) AS steps
WITH lent, account, sum(amount) AS inflow, min(steps) AS distance
RETURN account, CASE WHEN lent = 0 THEN -1.0 ELSE ((2000 * inflow + lent) / (2 * lent)) / 1000.0 END AS ratio, distance
ORDER BY distance DESC, ratio DESC, account
