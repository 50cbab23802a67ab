"""The Docker Engine found and reached, and its failures in this project's words."""
