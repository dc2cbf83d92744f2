// In how few transfers money can have come from one account to another, up to 10; -1: not at all, or not within 10.
// @param payer: string  the account that paid first
// @param receiver: string  the account that received last
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @example payer=acct:7 receiver=acct:9 after=2022-01-01 before=2022-04-01
WITH [$payer] AS seen, CASE WHEN $payer = $receiver THEN 0 ELSE -1 END AS found, CASE WHEN $payer = $receiver THEN [] ELSE [$payer] END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 1 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 2 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 3 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 4 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 5 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 6 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 7 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 8 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 9 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:PAID]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND NOT m.id IN seen
WITH seen, found, collect(DISTINCT m.id) AS next
WITH seen + next AS seen, CASE WHEN found < 0 AND $receiver IN next THEN 10 ELSE found END AS found,
  CASE WHEN found >= 0 OR $receiver IN next THEN [] ELSE next END AS frontier
RETURN found AS transfers, size(frontier) = 0 AS complete
ORDER BY transfers
