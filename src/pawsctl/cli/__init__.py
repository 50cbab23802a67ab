"""The command line: parse, call one operation, hand its result to the output."""
