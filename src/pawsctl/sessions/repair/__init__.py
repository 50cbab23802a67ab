"""Repair of conversations that the bot can't answer any more."""
