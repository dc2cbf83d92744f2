"""EDGAR is where filings come from when they are not in a folder yet: `fetch` brings those asked for, politely."""

from ingest.edgar.fetching import Fetched, Hosts, Wanted, fetch

__all__ = ["Fetched", "Hosts", "Wanted", "fetch"]
