"""Protection from mistakes: the guard before production, and undo."""
