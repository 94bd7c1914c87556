"""What the cells of fairness.ipynb show."""
