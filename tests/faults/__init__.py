"""Attacks on pawsctl: what it survives, and what it says meanwhile.

`make faults` runs a seeded sample, `make faults FULL=1` all of it. Servers and engines are real,
and what bends their answers is a proxy over a socket. It ends in one table, which is kept in
`docs/reliability.md`.
"""
