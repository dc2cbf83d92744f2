// What an account is: since when it exists, of which type, and whether it is blocked.
// @param id: string  the account
// @example id=acct:7
MATCH (a:Entity {id: $id})-[l:HAS_FACT]->(w:Fact)
WHERE l.valid_from <= $valid AND l.valid_to > $valid AND l.known_from <= $known AND l.known_to > $known
  AND l.published <= $published AND l.published_to > $published
  AND l.property = 'label' AND a.label = 'Account'
WITH a, min(l.valid_from) AS created
OPTIONAL MATCH (a)-[f:HAS_FACT]->(v:Fact)
WHERE f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
  AND (f.property = 'flag' OR f.property = 'statement' AND f.key = 'account_type')
RETURN a.id AS account, created, max(CASE WHEN f.property = 'flag' AND v.text = 'blocked' THEN 1 ELSE 0 END) = 1 AS blocked,
  max(CASE WHEN f.property = 'statement' THEN v.text END) AS type
ORDER BY account
