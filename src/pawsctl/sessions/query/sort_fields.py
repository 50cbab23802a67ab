"""The fields that a list can be sorted by, apart from the sorting: help need not load that."""

SORT_FIELDS = ("phone", "ttl", "status", "messages", "updated_at", "bytes", "problem", "waiting")
"""`waiting` is how long an answer has been due."""
