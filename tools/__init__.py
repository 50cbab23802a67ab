"""Programs for those who work on pawsctl."""
