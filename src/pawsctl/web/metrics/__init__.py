"""Metrics for Prometheus: a pass over Redis, its sharing between scrapers, and the text."""
