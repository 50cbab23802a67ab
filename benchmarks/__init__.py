"""The benchmarks of `make bench`: speed and memory, each measured against something known."""
