"""ModelCard: writes the model card by the items of TRIPOD+AI."""
