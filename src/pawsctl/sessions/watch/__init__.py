"""Sessions as they change."""
