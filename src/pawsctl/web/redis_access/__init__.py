"""What requests ask of Redis, within their time."""
