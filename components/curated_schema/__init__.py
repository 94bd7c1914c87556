"""CuratedSchema: the schema that is maintained beside the study file."""
