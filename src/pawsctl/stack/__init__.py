"""The stack: the containers or processes that this project runs."""
