"""Figures of the HTTP server: requests a second, how long they take, and what memory it needs over time."""
