"""The support bundle: one file for a helper, without private data."""
