"""ReferenceModels: predicts every subject by models that never saw it."""
