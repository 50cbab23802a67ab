"""The erasure of one person: what is stored of a phone, wherever pawsctl can reach it."""
