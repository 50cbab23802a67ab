"""What `make bench` runs: each bar of speed and memory, measured against something known."""
