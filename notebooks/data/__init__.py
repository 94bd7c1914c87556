"""What the cells of data.ipynb show."""
