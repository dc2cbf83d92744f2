// Which relations of an entity we learned or dropped between two dates of our knowledge.
// @param id: string  the entity
// @clock known_before  the earlier date; the later one is the known time of the question
// @example id=lei:5299000J2N45DDNE4Y28 known_before=2024-01-01
CALL {
  MATCH (n:Entity {id: $id})-[r]-(o:Entity)
  WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
    AND r.published <= $published AND r.published_to > $published
    AND NOT EXISTS {
      MATCH (n)-[q]-(o)
      WHERE q.id = r.id AND q.statement = r.statement
        AND q.valid_from <= $valid AND q.valid_to > $valid AND q.known_from <= $known_before AND q.known_to > $known_before
        AND q.published <= $published AND q.published_to > $published
    }
  RETURN 'learned' AS change, r.id AS edge, type(r) AS relation, o.id AS other, r.statement AS said, r.quote AS quote
  UNION ALL
  MATCH (n:Entity {id: $id})-[s]-(o:Entity)
  WHERE s.valid_from <= $valid AND s.valid_to > $valid AND s.known_from <= $known_before AND s.known_to > $known_before
    AND s.published <= $published AND s.published_to > $published
    AND NOT EXISTS {
      MATCH (n)-[t]-(o)
      WHERE t.id = s.id AND t.statement = s.statement
        AND t.valid_from <= $valid AND t.valid_to > $valid AND t.known_from <= $known AND t.known_to > $known
        AND t.published <= $published AND t.published_to > $published
    }
  RETURN 'dropped' AS change, s.id AS edge, type(s) AS relation, o.id AS other, s.statement AS said, s.quote AS quote
}
RETURN DISTINCT change, edge, relation, other, said, quote
ORDER BY change, edge, said
