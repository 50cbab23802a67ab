"""Sessions changed: touched, deleted, made up."""
