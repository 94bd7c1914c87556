"""Queries to the store: the one source of Grafana's panels, of alerts and of the page."""
