"""Conversations without what people said: pseudonyms for phones, blocks for text."""
