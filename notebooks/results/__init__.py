"""Outputs of the cells of results.ipynb."""
