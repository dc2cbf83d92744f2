"""What ArcadeDB would do for a text, read from its own parser's tree and its own verdict on it."""

from __future__ import annotations

from typing import Any

from kg.free import Plan
from kg.stores._jvm import java

_ENGINE = "com.arcadedb.query.opencypher"
_BESIDE_CLAUSES = ("command", "sessionCommand", "transactionCommand", "useClause", "subqueryInTransactionsParameters")
"""Rules of its grammar that are no clause and do more than read."""


def plan(database: Any, cypher: str) -> Plan:
    """Kind, clauses, functions and procedures of a text. An error of the engine where it cannot be read."""
    cypher = cypher.rstrip().removesuffix(";")
    verdict = database.getQueryEngine("opencypher").analyze(cypher)
    kinds = {str(kind) for kind in verdict.getOperationTypes()}
    reads = verdict.isIdempotent() and not verdict.isDDL() and kinds <= {"READ"}
    tree = java(f"{_ENGINE}.parser.Cypher25AntlrParser")().parseQueryWithTree(cypher).tree()
    parser, trees = java(f"{_ENGINE}.grammar.Cypher25Parser"), java("org.antlr.v4.runtime.tree.Trees")

    def texts(rule: int) -> frozenset[str]:
        found = (str(node.getText()) for node in trees.findAllRuleNodes(tree, rule))
        return frozenset(text.replace("`", "") for text in found)

    clauses = (clause.getChild(0) for clause in trees.findAllRuleNodes(tree, parser.RULE_clause))
    operators = frozenset(str(clause.getClass().getSimpleName()).removesuffix("Context") for clause in clauses)
    beside = (
        rule for rule in _BESIDE_CLAUSES if not trees.findAllRuleNodes(tree, getattr(parser, f"RULE_{rule}")).isEmpty()
    )
    kind = "r" if reads else "+".join(sorted(kinds)) or "w"
    return Plan(kind, operators.union(beside), texts(parser.RULE_functionName), texts(parser.RULE_procedureName))
