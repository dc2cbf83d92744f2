"""Risk figures, one per file."""
