// Every chain of at most four stakes that ends in a company, with the share it carries: the product along the chain.
// @param id: string  the company owned
// @param at_least: float = 0.0  smallest effective share shown
// @example id=lei:5299000J2N45DDNE4Y28 at_least=0.05
MATCH p = (o:Entity)-[:OWNS*1..4]->(c:Entity {id: $id})
WHERE all(x IN relationships(p) WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.share IS NOT NULL)
WITH o, length(p) AS hops, reduce(s = 1.0, x IN relationships(p) | s * x.share) AS effective,
  reduce(t = '', x IN relationships(p) | t + x.id + ' ') AS chain
WHERE effective >= $at_least
RETURN o.id AS owner, o.label AS label, hops, effective, chain
ORDER BY effective DESC, chain
