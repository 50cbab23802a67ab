"""Health checks and memory reports of a Redis."""
