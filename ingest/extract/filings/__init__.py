"""Filings of the SEC: submissions, their forms, tagged facts, items and tables."""
