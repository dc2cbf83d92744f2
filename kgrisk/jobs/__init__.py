"""Jobs: runs that are asked for now and done by whoever is free, one at a time across all processes of a home."""
