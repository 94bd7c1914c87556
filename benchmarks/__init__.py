"""Side-by-side measurements; each one is a command with `--help`."""
