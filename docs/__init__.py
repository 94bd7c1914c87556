"""The documentation, and what draws its pictures."""
