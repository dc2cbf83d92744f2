"""One kind of risk head per file."""
