"""Files become claims."""
