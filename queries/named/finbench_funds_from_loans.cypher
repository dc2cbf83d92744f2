// Whose loans feed a person: accounts whose money reached an account of the person in at most three transfers, with their loans.
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
WITH DISTINCT a.id AS id, 0 AS steps, '9999' AS until
WITH id, steps, until, CASE WHEN steps = 0 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})<-[x:PAID]-(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH id, steps, until, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH id, steps, until, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, until]] + [t IN every WHERE t[1] < until | [t[0], steps + 1, t[1]]] AS s
WITH s[0] AS id, s[1] AS steps, max(s[2]) AS until
WITH id, steps, until, CASE WHEN steps = 1 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})<-[x:PAID]-(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH id, steps, until, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH id, steps, until, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, until]] + [t IN every WHERE t[1] < until | [t[0], steps + 1, t[1]]] AS s
WITH s[0] AS id, s[1] AS steps, max(s[2]) AS until
WITH id, steps, until, CASE WHEN steps = 2 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})<-[x:PAID]-(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH id, steps, until, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH id, steps, until, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, until]] + [t IN every WHERE t[1] < until | [t[0], steps + 1, t[1]]] AS s
WITH s[0] AS id, s[1] AS steps, max(s[2]) AS until
WITH id, steps
WHERE steps > 0
WITH DISTINCT id AS other
MATCH (o:Entity {id: other})<-[d:PAID]-(l:Entity)
WHERE d.valid_from <= $valid AND d.valid_to > $valid AND d.known_from <= $known AND d.known_to > $known
  AND d.published <= $published AND d.published_to > $published
  AND d.role = 'deposit' AND d.valid_from > $after AND d.valid_from < $before
WITH DISTINCT other, l
MATCH (l)-[f:HAS_FACT]->(v:Fact)
WHERE f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
  AND f.property = 'fact' AND f.key IN ['loan_amount', 'loan_balance'] AND v.currency = $currency
RETURN other, sum(CASE WHEN f.key = 'loan_amount' THEN v.amount_minor ELSE 0 END) AS lent_minor,
  sum(CASE WHEN f.key = 'loan_balance' THEN v.amount_minor ELSE 0 END) AS balance_minor, count(DISTINCT l.id) AS loans
ORDER BY lent_minor DESC, other
