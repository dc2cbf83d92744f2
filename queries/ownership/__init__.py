"""Ownership: stakes, what they make together, and the rules of regimes."""
