"""TrialAnalysis: the statistical analysis of the arms, from the same study file."""
