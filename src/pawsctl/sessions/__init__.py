"""The bot's sessions in Redis, read and written as the bot does."""
