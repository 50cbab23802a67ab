"""A cluster: its slots, its redirections, and the client that follows them."""
