"""Records of runs, and the registry of champions."""
