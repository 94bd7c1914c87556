"""Statistics and rules of a model in service: numpy and SciPy alone."""
