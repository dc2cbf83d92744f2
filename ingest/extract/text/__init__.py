"""What stands in a text: its names, sentences, sums and days, each with its characters."""
