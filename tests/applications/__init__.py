"""Sessions of other applications: what their libraries write, and read again."""
