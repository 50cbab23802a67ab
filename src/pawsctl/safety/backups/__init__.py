"""Undo: what a command is about to change is kept as an archive first."""
