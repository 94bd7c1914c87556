"""ModelRegistrar: makes a blessed and pushed model the champion of its study."""
