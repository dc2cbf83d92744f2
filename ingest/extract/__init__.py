"""One way to find things in content per file."""
