// Who closes the circle of two accounts: others that were paid by the second and paid the first, if the first paid the second.
// @param payer: string  the account that paid first
// @param receiver: string  the account it paid
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @example payer=acct:7 receiver=acct:9 after=2022-01-01 before=2022-04-01
MATCH (a:Entity {id: $payer})-[x:PAID]->(b:Entity {id: $receiver})
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH DISTINCT a, b
MATCH (b)-[y:PAID]->(o:Entity)
WHERE y.valid_from <= $valid AND y.valid_to > $valid AND y.known_from <= $known AND y.known_to > $known
  AND y.published <= $published AND y.published_to > $published
  AND NOT coalesce(y.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND y.valid_from > $after AND y.valid_from < $before AND y.currency = $currency
  AND o.id <> $payer AND o.id <> $receiver
WITH a, o, count(y) AS edges2, sum(y.amount_minor) AS sum2, max(y.amount_minor) AS max2
MATCH (o)-[z:PAID]->(a)
WHERE z.valid_from <= $valid AND z.valid_to > $valid AND z.known_from <= $known AND z.known_to > $known
  AND z.published <= $published AND z.published_to > $published
  AND NOT coalesce(z.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND z.valid_from > $after AND z.valid_from < $before AND z.currency = $currency
RETURN o.id AS other, edges2 AS received, sum2 AS received_minor, max2 AS largest_received_minor,
  count(z) AS returned, sum(z.amount_minor) AS returned_minor, max(z.amount_minor) AS largest_returned_minor
ORDER BY received_minor DESC, returned_minor DESC, other
