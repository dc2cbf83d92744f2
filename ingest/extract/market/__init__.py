"""Daily prices: sessions, features known on their day, correlations."""
