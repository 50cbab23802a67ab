"""The embedded engine: a valkey-server as pawsctl's own process, for machines without Docker."""
