"""What only Linux and macOS have is not looked for on Windows."""

import sys

collect_ignore = ["test_posix.py", "test_strange_engines.py"] if sys.platform == "win32" else []
