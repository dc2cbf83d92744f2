// Accounts that received money from an account in at most three ever later transfers and were signed in to with a blocked device.
// @param id: string  the account that paid first
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param truncation_limit: int = 10000  most transfers followed out of one account at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING|AMOUNT_ASCENDING|AMOUNT_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=acct:7 after=2022-01-01 before=2022-04-01
MATCH (a:Entity {id: $id})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH x, m
ORDER BY CASE $truncation_order WHEN 'AMOUNT_ASCENDING' THEN x.amount_minor WHEN 'AMOUNT_DESCENDING' THEN -x.amount_minor ELSE 0 END,
  CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH collect([m.id, x.valid_from])[0..$truncation_limit] AS one
UNWIND one AS s1
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
WITH s1, [t IN every WHERE t[1] > s1[1] | t] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', '']] ELSE next END AS s2
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
WITH s1, s2, [t IN every WHERE t[1] > s2[1] | t] AS next
UNWIND CASE WHEN size(next) = 0 THEN [['', '']] ELSE next END AS s3
UNWIND [[s1[0], 1], [s2[0], 2], [s3[0], 3]] AS found
WITH DISTINCT found[0] AS other, found[1] AS distance
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
