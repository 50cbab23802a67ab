"""The audit log: who changed what, where, and how it ended."""
