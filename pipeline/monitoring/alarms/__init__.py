"""Alarms that can be left on: one error of 5 % a year over all that is watched of a study.

`judge.alarms` takes the whole history and returns the state: the same history gives the same
state, and later weeks never change what was found in earlier ones. The method, its sources and the
simulated years are in docs/monitoring.md.
"""
