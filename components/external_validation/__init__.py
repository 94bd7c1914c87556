"""ExternalValidation: what an external validation of a registered model reports."""
