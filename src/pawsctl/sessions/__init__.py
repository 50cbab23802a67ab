"""Sessions: what the bot keeps in Redis, read and written as the bot does."""
