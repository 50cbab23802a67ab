"""Inspect and manage an application's sessions in Redis, and run Redis itself."""
