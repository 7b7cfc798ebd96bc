"""One file for each group of tables. Each has measure(bench), which prints them, returns what goes into the group's
JSON file, and adds to bench.summary what has to hold."""
