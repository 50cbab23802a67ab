"""Access to Redis for requests, within their time."""
