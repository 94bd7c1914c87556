"""Grafana's boards, alerts and provisioning as code; `make grafana` writes the files."""
