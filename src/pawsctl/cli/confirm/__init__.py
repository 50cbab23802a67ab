"""Confirmation before something is destroyed, stricter where it may be production's."""
