"""OutcomeLog: adds the outcomes of a later data cut to the prediction log."""
