"""The project: its settings, its compose file, its services."""
