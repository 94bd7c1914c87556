"""Outputs of the cells of fairness.ipynb."""
