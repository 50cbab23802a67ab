"""Data taken over from a container that keeps it elsewhere."""
