"""Early warning: signals of trouble as they were public at a date, one index of them, and how well it warned."""
