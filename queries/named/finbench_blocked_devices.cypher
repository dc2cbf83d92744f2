// Accounts that received money from an account in at most three ever later transfers and were signed in to with a blocked device.
// @param id: string  the account that paid first
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param truncation_limit: int = 10000  most transfers followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=acct:7 after=2022-01-01 before=2022-04-01
WITH $id AS id, 0 AS steps, '' AS since
WITH id, steps, since, CASE WHEN steps = 0 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH id, steps, since, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH id, steps, since, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, since]] + [t IN every WHERE t[1] > since | [t[0], steps + 1, t[1]]] AS s
WITH s[0] AS id, s[1] AS steps, min(s[2]) AS since
WITH id, steps, since, CASE WHEN steps = 1 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH id, steps, since, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH id, steps, since, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, since]] + [t IN every WHERE t[1] > since | [t[0], steps + 1, t[1]]] AS s
WITH s[0] AS id, s[1] AS steps, min(s[2]) AS since
WITH id, steps, since, CASE WHEN steps = 2 THEN id ELSE '' END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH id, steps, since, x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH id, steps, since, collect(CASE WHEN x IS NULL THEN null ELSE [m.id, x.valid_from] END)[0..$truncation_limit] AS every
UNWIND [[id, steps, since]] + [t IN every WHERE t[1] > since | [t[0], steps + 1, t[1]]] AS s
WITH s[0] AS id, s[1] AS steps, min(s[2]) AS since
WITH id AS other, steps AS distance
WHERE distance > 0
MATCH (o:Entity {id: other})<-[g:SIGNED_IN]-(d:Entity)-[f:HAS_FACT]->(v:Fact)
WHERE g.valid_from <= $valid AND g.valid_to > $valid AND g.known_from <= $known AND g.known_to > $known
  AND g.published <= $published AND g.published_to > $published
  AND f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
  AND g.valid_from > $after AND g.valid_from < $before AND f.property = 'flag' AND v.text = 'blocked'
WITH DISTINCT other, distance, d
OPTIONAL MATCH (d)-[k:HAS_FACT]->(w:Fact)
WHERE k.valid_from <= $valid AND k.valid_to > $valid AND k.known_from <= $known AND k.known_to > $known
  AND k.published <= $published AND k.published_to > $published
  AND k.property = 'statement' AND k.key = 'device_type'
RETURN other, distance, d.id AS device, w.text AS device_type
ORDER BY distance, other, device
