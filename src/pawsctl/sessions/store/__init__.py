"""Sessions read from and written to Redis."""
