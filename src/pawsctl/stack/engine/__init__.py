"""The engines that run the services: Docker, and the embedded server."""
