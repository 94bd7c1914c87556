"""Kubeflow Pipelines: compiling, submitting, and what its tasks run."""
