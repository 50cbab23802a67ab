"""Checks of docs/monitoring with the real programs; `make monitoring` runs them."""
