"""The prediction service: answers for single subjects with the champion of a study.

Nothing here needs TFX or Beam; TensorFlow is imported when a model is loaded.
"""
