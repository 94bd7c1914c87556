"""DataGate: stops a run before training when the data are not fit for it, and says why."""
