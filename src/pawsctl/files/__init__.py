"""Files that are there whole or not at all, and that nobody else may write."""
