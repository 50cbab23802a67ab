"""The Docker engine: the only package that knows the Docker SDK."""
