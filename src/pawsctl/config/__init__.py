"""Settings and their sources, and the parsing of Redis URLs."""
