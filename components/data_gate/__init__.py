"""DataGate: stops a run before training if the data can't be used, with the reasons."""
