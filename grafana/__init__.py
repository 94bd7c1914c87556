"""What leaves the pipeline for Grafana: the SQL store, the boards and the alerts."""
