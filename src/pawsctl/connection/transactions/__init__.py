"""Changes of a key that are made only if nobody else has changed it meanwhile."""
