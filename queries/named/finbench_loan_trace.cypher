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
WITH lent, currency, a.id AS id, 1 AS steps, min($threshold * d.amount_minor) AS least
WITH lent, currency, id, steps, least, CASE WHEN steps = 1 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = currency
WITH lent, currency, id, steps, least, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH lent, currency, id, steps, least, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.amount_minor] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, least]] + [t IN every WHERE t[1] > least | [t[0], steps + 1, $threshold * t[1]]] AS s
WITH lent, currency, s[0] AS id, s[1] AS steps, min(s[2]) AS least
WITH lent, currency, id, steps, least, CASE WHEN steps = 2 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = currency
WITH lent, currency, id, steps, least, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH lent, currency, id, steps, least, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.amount_minor] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, least]] + [t IN every WHERE t[1] > least | [t[0], steps + 1, $threshold * t[1]]] AS s
WITH lent, currency, s[0] AS id, s[1] AS steps, min(s[2]) AS least
MATCH (n:Entity {id: id})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = currency
WITH lent, id, steps, least, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH lent, id, steps, least, collect([m.id, x.amount_minor, x.id])[0..$truncation_limit] AS every
UNWIND [t IN every WHERE t[1] > least | t] AS e
WITH lent, e[0] AS account, e[1] AS amount, e[2] AS edge, min(steps) + 1 AS reached
WITH lent, account, sum(amount) AS inflow, min(reached) AS distance
RETURN account, CASE WHEN lent = 0 THEN -1.0 ELSE ((2000 * inflow + lent) / (2 * lent)) / 1000.0 END AS ratio, distance
ORDER BY distance DESC, ratio DESC, account
