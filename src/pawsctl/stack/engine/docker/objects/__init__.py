"""The Docker objects of a project: containers, networks, volumes, mounts."""
