"""Networks of exposures made from what is published: sums by bank, and the few cells that are disclosed."""
