"""Monitor: follows the predictions of a model in service by calendar period."""
