"""Evaluates a model on the test split: metrics with intervals, by task and slice, and a verdict."""
