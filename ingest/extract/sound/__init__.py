"""Recordings: what is heard, how it sounds, and the seconds of both."""
