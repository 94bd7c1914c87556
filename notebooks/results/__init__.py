"""What the cells of results.ipynb show."""
