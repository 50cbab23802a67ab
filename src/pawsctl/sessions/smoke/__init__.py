"""The smoke check: a run of the bot's session flow."""
