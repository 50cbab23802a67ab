"""Values as the bot's JavaScript has them."""
