"""Outputs of the cells of data.ipynb."""
