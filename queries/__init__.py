"""Questions analysts ask of the graph."""
