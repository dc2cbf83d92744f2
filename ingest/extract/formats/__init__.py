"""How files are written, whatever they say: markup, tables, pointers into JSON, identifiers."""
