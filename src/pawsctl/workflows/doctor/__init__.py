"""The doctor: find faults of this project's Redis and its sessions, and say how to fix them."""
