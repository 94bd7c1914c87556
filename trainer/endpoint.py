"""What the model's output means: each task has an outcome that a subject has, or has not.

Training and serving know it from here. In the rest of the trainer these depend on it, with NumPy:
`trainer.entropy` (the same loss, and its scale), `trainer.linear` (the start of the linear path),
`trainer.calibration` (slope and intercept of the log odds) and `trainer.uncertainty` (intervals
and sets). Labels are made by `components.trial_example_gen.labels`, metrics by
`components.evaluator.performance`.
"""

from __future__ import annotations

import tensorflow as tf


def cross_entropies(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of each prediction, nats.

    Args:
        logits: Log odds, float32 `[..., subjects, members, tasks]`.
        labels: 0 or 1, float32 `[..., subjects, tasks]`.

    Returns:
        float32, of the shape of `logits`.
    """
    targets = tf.broadcast_to(labels[..., tf.newaxis, :], tf.shape(logits))
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)


def probabilities(logits: tf.Tensor) -> tf.Tensor:
    """Predicted probabilities of log odds, of the same shape."""
    return tf.sigmoid(logits)
