// Which part of the transfers an account received came from blocked accounts (-1: it received none).
// @param id: string  the account
// @param above: money = 0  smaller transfers, and equal ones, do not count
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @example id=acct:7 above=1000
MATCH (a:Entity {id: $id})
OPTIONAL MATCH (s:Entity)-[x:PAID]->(a)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency AND x.amount_minor > $above
WITH s, count(x) AS transfers
OPTIONAL MATCH (s)-[f:HAS_FACT]->(v:Fact)
WHERE f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
  AND f.property = 'flag' AND v.text = 'blocked'
WITH s, transfers, count(f) AS flags
WITH sum(transfers) AS received, sum(CASE WHEN flags > 0 THEN transfers ELSE 0 END) AS blocked
RETURN CASE WHEN received = 0 THEN -1.0 ELSE ((2000 * blocked + received) / (2 * received)) / 1000.0 END AS blocked_share, received
ORDER BY received
