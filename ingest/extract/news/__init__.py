"""Articles and posts: feeds, pages and rows, their one text, and who repeats whom."""
