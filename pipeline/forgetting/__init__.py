"""Removes subjects who withdrew consent from all that runs have kept."""
