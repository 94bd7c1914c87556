"""What the notebooks beside it call, and the command that executes them on a run."""
