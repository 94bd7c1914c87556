"""TFX components of this project, one folder each."""
