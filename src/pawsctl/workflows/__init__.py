"""What needs both the sessions and the stack, and is the one place that knows both."""
