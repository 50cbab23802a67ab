"""Atomic writes of files, and checks that no other user can write them."""
