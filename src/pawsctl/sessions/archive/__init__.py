"""Archives of sessions: their format, their files, export and import."""
