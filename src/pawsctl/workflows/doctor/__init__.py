"""What is wrong with this project's Redis and its sessions, and how to mend it."""
