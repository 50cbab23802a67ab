"""Confirmation before something is destroyed, stricter if it may be production's."""
