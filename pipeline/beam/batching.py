"""How Beam puts rows into batches."""

from __future__ import annotations


def batch_by_bytes() -> None:
    """Lets the data alone decide how rows are batched.

    Beam would tune the batches by the clock, and sums of floats would differ from run to run
    in their last digits: those of Transform's means, and with them the model's weights.
    """
    from absl import flags
    from tfx_bsl.coders import batch_util

    flags.FLAGS.set_default(batch_util._USE_BYTE_SIZE_BATCHING.name, True)
