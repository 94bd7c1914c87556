"""RegisteredModel: loads a registered model for a study whose names may differ."""
