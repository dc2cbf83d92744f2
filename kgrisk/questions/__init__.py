"""Questions in English to the graph: routed by typed slots, answered in cited sentences, or handed to a person."""
