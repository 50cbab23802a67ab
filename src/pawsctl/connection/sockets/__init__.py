"""The sockets of connections: redis-py's, each reply held to a deadline."""
