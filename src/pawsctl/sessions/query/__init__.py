"""Sessions chosen, sorted, and summed up for a list."""
