"""What one parsed clause says: who owns, lends to, supplies or leads whom, and how surely."""
