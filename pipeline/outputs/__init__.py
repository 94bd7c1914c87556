"""The register of all that the project writes or answers: who may read it, what it tells."""
