// What a guarantor may have to answer for: the loans of everyone down the chain of guarantees, up to 10 guarantees away.
// @param id: string  the guarantor
// @param after: time = 0001-01-01  only what happened after this instant
// @param before: time = 9999-12-31  only what happened before this instant
// @param currency: string = EUR  currency of the amounts counted
// @param truncation_limit: int = 10000  most guarantees followed out of one party at a step
// @param truncation_order: choice<TIMESTAMP_ASCENDING|TIMESTAMP_DESCENDING> = TIMESTAMP_DESCENDING  which of them come first
// @example id=person:7 after=2022-01-01 before=2022-04-01
MATCH (p:Entity {id: $id})
WITH [] AS seen, [p.id] AS frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(frontier) = 0 THEN [''] ELSE frontier END AS here
OPTIONAL MATCH (n:Entity {id: here})-[x:EXPOSED_TO]->(m:Entity)
WHERE x.valid_from <= $valid AND x.valid_to > $valid AND x.known_from <= $known AND x.known_to > $known
  AND x.published <= $published AND x.published_to > $published
  AND x.role = 'guarantee' AND x.valid_from > $after AND x.valid_from < $before
WITH seen, here, x, m
ORDER BY CASE $truncation_order WHEN 'TIMESTAMP_ASCENDING' THEN x.valid_from ELSE '' END,
  CASE $truncation_order WHEN 'TIMESTAMP_DESCENDING' THEN x.valid_from ELSE '' END DESC, x.key
WITH seen, here, collect(m.id)[0..$truncation_limit] AS next
UNWIND CASE WHEN size(next) = 0 THEN [null] ELSE next END AS i
WITH seen, collect(DISTINCT CASE WHEN i IN seen THEN null ELSE i END) AS frontier
WITH seen + frontier AS seen, frontier
UNWIND CASE WHEN size(seen) = 0 THEN [''] ELSE seen END AS party
OPTIONAL MATCH (o:Entity {id: party})-[h:HAS_ACCOUNT]->(l:Entity)-[f:HAS_FACT]->(v:Fact)
WHERE h.valid_from <= $valid AND h.valid_to > $valid AND h.known_from <= $known AND h.known_to > $known
  AND h.published <= $published AND h.published_to > $published
  AND f.valid_from <= $valid AND f.valid_to > $valid AND f.known_from <= $known AND f.known_to > $known
  AND f.published <= $published AND f.published_to > $published
  AND f.property = 'fact' AND f.key = 'loan_amount' AND v.currency = $currency
WITH seen, frontier, l.id AS loan, max(v.amount_minor) AS amount
RETURN sum(amount) AS lent_minor, count(loan) AS loans, size(seen) AS parties, size(frontier) = 0 AS complete
ORDER BY lent_minor
