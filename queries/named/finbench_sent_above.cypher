// To whom an account sent large transfers, how many and how much.
// @param id: string  the account
// @param above: money = 0  smaller transfers, and equal ones, do not count
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @example id=acct:7 above=1000
MATCH (a:Entity {id: $id})-[x:PAID]->(o:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency AND x.amount_minor > $above
RETURN o.id AS other, count(x) AS transfers, sum(x.amount_minor) AS amount_minor
ORDER BY amount_minor DESC, other
