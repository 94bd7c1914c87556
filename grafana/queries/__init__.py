"""What the boards ask of the store: the one source of Grafana's panels, alerts and of the page."""
