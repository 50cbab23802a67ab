"""Looks after the sessions an application keeps in Redis, and the Redis they live in."""
