"""MetricsExporter: a run's results into the SQL store."""
