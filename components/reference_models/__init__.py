"""ReferenceModels: fits simpler models beside the Keras model."""
