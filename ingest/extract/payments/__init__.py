"""Payments and trades, streamed from tables and chains into exact edges by the day."""
