"""What ingest reaches on real files and the bundled world: one module per kind of figure."""
