"""The format of the bot's sessions, and the rules they follow. Pure."""
