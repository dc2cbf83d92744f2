"""Returns and volatility: what figures of market risk share."""
