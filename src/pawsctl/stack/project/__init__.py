"""This project: its settings, its compose file, its services."""
