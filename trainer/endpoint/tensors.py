"""Loss and probability of log odds in TensorFlow's graphs."""

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
