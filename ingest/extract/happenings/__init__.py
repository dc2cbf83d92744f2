"""What came about, to whom and by whom: the events that sentences tell."""
