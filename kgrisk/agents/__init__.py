"""The agents' door: an MCP server whose tools ask the graph, within caps, and write nothing unless told so."""
