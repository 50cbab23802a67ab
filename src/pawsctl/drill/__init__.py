"""A failure on purpose, on a topology of this machine: what knows the stack and the connection."""
