"""What the bot stores. Pure."""
