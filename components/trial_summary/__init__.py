"""TrialSummary: how the trial goes, for who coordinates it."""
