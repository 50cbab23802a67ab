"""Settings: where they come from, and what a Redis URL says."""
