"""TrialSummary: progress of the trial, for its coordinators."""
