"""Finding, filtering, sorting and summing up sessions."""
