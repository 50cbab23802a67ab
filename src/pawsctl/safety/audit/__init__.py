"""The audit log: who has changed what, where, and with which end."""
