"""RunPage: what a person reads of a run, also on its page in Kubeflow."""
