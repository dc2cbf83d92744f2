"""Registers of entities and what they hold: GLEIF, ownership statements, sanctions, official tables."""
