"""TrialAnalysis: what a statistician wants beside a model, from the same study file."""
