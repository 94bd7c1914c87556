"""BatchScoring: predicts subjects with a registered model."""
