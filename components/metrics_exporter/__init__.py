"""MetricsExporter: exports a run's results to the SQL store."""
