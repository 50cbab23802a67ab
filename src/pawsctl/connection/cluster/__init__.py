"""A cluster: its slots, its redirections, and its client."""
