"""One kind of input per file."""
