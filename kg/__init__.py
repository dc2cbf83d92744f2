"""The graph: vocabulary, claims, ledger and stores. Knows no other room."""
