"""ModelCard: what a person must know of a model before using it."""
