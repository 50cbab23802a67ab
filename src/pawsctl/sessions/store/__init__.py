"""Reading sessions from Redis and writing them."""
