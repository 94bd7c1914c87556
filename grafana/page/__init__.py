"""The boards as one HTML file, for a store without Grafana; `make boards` writes it."""
