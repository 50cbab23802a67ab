"""What serves requests, whatever they ask for."""
