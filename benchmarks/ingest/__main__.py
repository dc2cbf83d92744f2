"""Every figure of ingest beside its aim.

Run: python -m benchmarks.ingest [name ...] [--out FILE]. KGRISK_REAL_DATA names the folder of real files. Prints one
line a figure and writes JSON with machine and versions; figures of modules that were not run stay as they were.
"""

from benchmarks.running import main

if __name__ == "__main__":
    main("ingest", __doc__)
