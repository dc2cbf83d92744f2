// Blocked accounts that were paid by someone who paid this account too.
// @param id: string  the account
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @example id=acct:7 after=2022-01-01 before=2022-04-01
MATCH (a:Entity {id: $id})<-[x:PAID]-(s:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND NOT coalesce(x.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND x.valid_from > $after AND x.valid_from < $before
WITH DISTINCT s
MATCH (s)-[y:PAID]->(o:Entity)
WHERE y.valid_from <= $valid AND y.valid_to > $valid AND y.known_from <= $known AND y.known_to > $known
  AND y.published <= $published AND y.published_to > $published
  AND NOT coalesce(y.role, 'transfer') IN ['withdraw', 'deposit', 'repay'] AND y.valid_from > $after AND y.valid_from < $before AND o.id <> $id
WITH DISTINCT o
MATCH (o)-[f:HAS_FACT]->(v:Fact)
WHERE f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
  AND f.property = 'flag' AND v.text = 'blocked'
RETURN DISTINCT o.id AS other
ORDER BY other
