// What an account sent and received in transfers: how many, how much, and the largest (-1: none).
// @param id: string  the account
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @example id=acct:7 after=2022-01-01 before=2022-04-01
MATCH (a:Entity {id: $id})
OPTIONAL MATCH (a)-[x:PAID]->(o:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH a, count(x) AS sent, sum(x.amount_minor) AS sent_minor, coalesce(max(x.amount_minor), -1) AS largest_sent_minor
OPTIONAL MATCH (a)<-[x:PAID]-(o:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before AND x.currency = $currency
WITH a, sent, sent_minor, largest_sent_minor, count(x) AS received, sum(x.amount_minor) AS received_minor, coalesce(max(x.amount_minor), -1) AS largest_received_minor
RETURN sent, sent_minor, largest_sent_minor, received, received_minor, largest_received_minor
ORDER BY sent
