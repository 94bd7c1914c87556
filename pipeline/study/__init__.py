"""The study file: its sections, references, rules and loading."""
