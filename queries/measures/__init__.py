"""One risk measure per file."""
