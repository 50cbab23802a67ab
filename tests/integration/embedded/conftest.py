"""The embedded server is for Linux and macOS."""

import sys

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []
