"""Figures over all sessions."""
