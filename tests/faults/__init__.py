"""Attacks on pawsctl: what it survives, and what it reports meanwhile.

`make faults` runs a seeded sample, `make faults FULL=1` all of it. Servers and engines are real;
proxies over sockets change their answers. It ends in one table, which is kept in
`docs/reliability.md`.
"""
