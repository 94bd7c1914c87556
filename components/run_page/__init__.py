"""RunPage: writes the page of a run, and the visualizations on its page in Kubeflow."""
