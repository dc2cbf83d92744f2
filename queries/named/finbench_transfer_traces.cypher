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
WITH DISTINCT [a.id] AS trail, a.id AS account, '' AS since
WITH CASE WHEN size(trail) = 1 THEN account ELSE '' END AS here, collect([trail, since]) AS trails
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH here, trails, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH here, trails, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND trails AS s
UNWIND [[s[0], here, s[1]]] + [t IN every WHERE t[1] > s[1] AND NOT t[0] IN s[0] | [s[0] + [t[0]], t[0], t[1]]] AS r
WITH r[0] AS trail, r[1] AS account, min(r[2]) AS since
WITH CASE WHEN size(trail) = 2 THEN account ELSE '' END AS here, collect([trail, since]) AS trails
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH here, trails, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH here, trails, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND trails AS s
UNWIND [[s[0], here, s[1]]] + [t IN every WHERE t[1] > s[1] AND NOT t[0] IN s[0] | [s[0] + [t[0]], t[0], t[1]]] AS r
WITH r[0] AS trail, r[1] AS account, min(r[2]) AS since
WITH CASE WHEN size(trail) = 3 THEN account ELSE '' END AS here, collect([trail, since]) AS trails
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH here, trails, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH here, trails, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND trails AS s
UNWIND [[s[0], here, s[1]]] + [t IN every WHERE t[1] > s[1] AND NOT t[0] IN s[0] | [s[0] + [t[0]], t[0], t[1]]] AS r
WITH r[0] AS trail, r[1] AS account, min(r[2]) AS since
WITH trail
WHERE size(trail) > 1
RETURN size(trail) - 1 AS transfers, reduce(t = '', x IN trail | t + x + ' ') AS trace
ORDER BY transfers DESC, trace
