"""Grafana's boards and alerts, their queries, and the boards as a page."""
