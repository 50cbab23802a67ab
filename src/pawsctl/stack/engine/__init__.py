"""What runs the services: Docker, or the embedded server."""
