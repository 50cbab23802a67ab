"""Archives of sessions: what one looks like, where it lies, how it is made and read back."""
