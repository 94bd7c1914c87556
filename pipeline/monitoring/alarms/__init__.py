"""Alarms that can be left on: one error of 5 % a year over all that is watched of a study.

`judge.alarms` takes the whole history and returns the state: the same history gives the same
state, and further weeks alone change nothing that was found in earlier ones. Other weights or
labels of a later data cut may, and a first week that was removed from the log. The method, its
sources and the simulated years are in docs/monitoring.md.
"""
