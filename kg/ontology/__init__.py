"""The vocabulary: every node label, edge type, property, unit, and which property is which modality.

Add an entry to its table (nodes, edges, properties, reliability) and constraints, indexes, validation, tensors and the
docs table follow.
"""

from kg.ontology.edges import EDGES
from kg.ontology.nodes import ANYONE, ENTITY_SCHEMES, FIRMS, NODES, PARTIES, SCHEMES, scheme
from kg.ontology.properties import DISTRESS_EVENTS, HAS, PROPERTIES, VALUE_NODES
from kg.ontology.reliability import RELIABILITY
from kg.ontology.shapes import VALUE_COLUMNS, EdgeType, NodeType, Property, Type

__all__ = [
    "ANYONE",
    "DISTRESS_EVENTS",
    "EDGES",
    "ENTITY_SCHEMES",
    "FIRMS",
    "HAS",
    "NODES",
    "PARTIES",
    "PROPERTIES",
    "RELIABILITY",
    "SCHEMES",
    "VALUE_COLUMNS",
    "VALUE_NODES",
    "EdgeType",
    "NodeType",
    "Property",
    "Type",
    "scheme",
]
