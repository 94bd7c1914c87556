"""Code of the notebooks, and the command that executes them on a run."""
