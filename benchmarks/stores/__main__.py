"""How fast a store is filled, kept up and asked, on ArcadeDB and Neo4j.

Run: python -m benchmarks.stores [name ...] [--out FILE]. Neo4j is the server of NEO4J_TEST_URI, which is erased, or one
that is assembled and started here. Figures of modules that were not run stay as they were.
"""

from benchmarks.running import main

if __name__ == "__main__":
    main("stores", __doc__)
