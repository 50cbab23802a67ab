"""The bot's session flow as a smoke check."""
