"""Faults that were mended, put back one at a time: a test must fail for each.

`python -m tests.mutations` copies the project, puts one fault of `faults.yaml` back, and runs the
tests that hold it, which must fail. Names as arguments choose some of the faults.
"""
