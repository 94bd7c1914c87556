"""What the model's output means: each task has an outcome that a subject has, or has not.

The model gives log odds. Loss, probability and their derivatives are here, for NumPy (`arrays`)
and for TensorFlow's graphs (`tensors`), and nowhere else in the trainer. What else holds for such
outcomes alone: `trainer.calibration` has a slope and an intercept of the log odds,
`trainer.uncertainty` intervals and sets of the two levels, `trainer.reference` classifiers.
Labels are made by `components.trial_example_gen.labels`, metrics by
`components.evaluator.performance`.
"""
