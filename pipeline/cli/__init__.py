"""The console script `trial`: one way to parse what a person types, one way to fail."""
