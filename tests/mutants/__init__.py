"""Changes to the pure modules, one at a time, each of which a test should notice.

`make mutants` takes every change that cosmic-ray knows to make to them (`operators.py`), chooses a
sample that stays the same while its lines do, and runs the tests that reach the changed line: the
unit tests, then those of the commands that the module serves (`commands.toml`). A change that no
test notices is behaviour that could be wrong without anybody knowing, unless `no_behaviour.toml`
says why it is none.
"""
