"""The bundled fictional sample: its committed seeded generator and, under data/, what it made."""
