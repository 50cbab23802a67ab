"""Take over the data of a container that keeps it outside the project's volume."""
