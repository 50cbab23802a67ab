"""The server of processes behind `tests.fork_server`."""
