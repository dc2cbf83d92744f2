// Where a person's money went: every chain of at most three ever later transfers out of an account of the person.
// @param id: string  the person
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param truncation_limit: int = 10000  most transfers followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=person:7 after=2022-01-01 before=2022-04-01
MATCH (p:Entity {id: $id})-[h:HAS_ACCOUNT]->(a:Entity)
WHERE h.valid_from <= $valid AND h.valid_to > $valid AND h.known_from <= $known AND h.known_to > $known
  AND h.published <= $published AND h.published_to > $published
WITH DISTINCT [a.id, '', [a.id]] AS s0
WITH DISTINCT s0
OPTIONAL MATCH (n:Entity {id: s0[0]})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH s0, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH s0, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
WITH s0, [t IN every WHERE t[1] > s0[1] AND NOT t[0] IN s0[2] | [t[0], t[1], s0[2] + [t[0]]]] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', '', []]] ELSE next END AS s1
WITH DISTINCT s1
OPTIONAL MATCH (n:Entity {id: s1[0]})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH s1, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH s1, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
WITH s1, [t IN every WHERE t[1] > s1[1] AND NOT t[0] IN s1[2] | [t[0], t[1], s1[2] + [t[0]]]] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', '', []]] ELSE next END AS s2
WITH DISTINCT s1, s2
OPTIONAL MATCH (n:Entity {id: s2[0]})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH s1, s2, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH s1, s2, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
WITH s1, s2, [t IN every WHERE t[1] > s2[1] AND NOT t[0] IN s2[2] | [t[0], t[1], s2[2] + [t[0]]]] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', '', []]] ELSE next END AS s3
UNWIND [s1[2], s2[2], s3[2]] AS accounts
WITH DISTINCT accounts
WHERE size(accounts) > 0
RETURN size(accounts) - 1 AS transfers, reduce(t = '', x IN accounts | t + x + ' ') AS trace
ORDER BY transfers DESC, trace
