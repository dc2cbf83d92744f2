"""The doors of a running engine: HTTP API, web page and the agents' door, all of them over `kgrisk.api`."""
