"""The commands of `trial`: each parses its options and calls what does the work."""
