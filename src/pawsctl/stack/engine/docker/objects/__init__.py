"""What the Docker Engine keeps for a project: containers, networks, volumes, mounts."""
