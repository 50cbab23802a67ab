"""The documentation, checked against the code.

`pages` finds the parts of README.md and docs/, `reference` writes those that are generated,
`examples` runs every example, and `pictures` records what a terminal shows.
"""
