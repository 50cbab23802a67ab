"""What keeps a mistake from doing harm: the guard before production, and undo."""
