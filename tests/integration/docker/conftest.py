"""Skip on Windows the tests that need Linux or macOS."""

import sys

collect_ignore = ["test_posix.py", "test_strange_engines.py"] if sys.platform == "win32" else []
