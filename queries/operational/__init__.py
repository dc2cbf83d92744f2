"""Sums of losses: what figures of operational risk share."""
