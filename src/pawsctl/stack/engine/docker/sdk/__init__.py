"""Find the Docker Engine, connect to it, and translate its errors."""
