"""Serving HTTP: sockets, signals, access, limits and the request log."""
