"""Data beside the data that a model was trained on: what is new, what has shifted."""
