"""Completion in bash, zsh, fish and PowerShell."""

FILES = 100
"""The exit status that tells bash to complete names of files."""
