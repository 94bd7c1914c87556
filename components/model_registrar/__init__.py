"""ModelRegistrar: registers a blessed and pushed model as the champion of its study."""
