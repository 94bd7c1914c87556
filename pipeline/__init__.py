"""The pipeline's graph, its configuration and its runners."""
