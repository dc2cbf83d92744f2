"""Payments: what patterns of laundering are found with."""
