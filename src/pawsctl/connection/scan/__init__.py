"""SCAN over any deployment; knows nothing of sessions."""
