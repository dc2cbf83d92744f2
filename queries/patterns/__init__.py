"""Patterns of laundering and fraud, one per file."""
