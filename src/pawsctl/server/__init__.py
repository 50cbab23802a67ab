"""What a Redis says of itself: health and memory."""
