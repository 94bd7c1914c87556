"""Judges a model on the test split: metrics with intervals, per task and slice."""
