"""One database per file; each declares its URL schemes."""
