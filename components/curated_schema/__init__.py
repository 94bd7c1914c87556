"""CuratedSchema: the schema that a person keeps beside the study file."""
