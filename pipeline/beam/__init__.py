"""Apache Beam: runners, options, checks, and a Flink on this machine."""
