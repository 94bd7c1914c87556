"""Module files of Transform, Tuner and Trainer."""
