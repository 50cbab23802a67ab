"""The support bundle: one file for a colleague who looks for a fault, without private data."""
