"""An MLflow server that follows the registry of models, over its REST interface; off by default."""
