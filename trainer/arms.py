"""The arms of a trial in the codes of its categories: what a model starts from.

A randomised trial asks what its arms do. Their effects are therefore estimated as they are, and
everything else is shrunk towards them: a model whose features say nothing predicts each arm's own
rate, as the reference model `base_rate` does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.names import ARM
from trainer.preprocessing import SEPARATOR


def arm_codes(vocabulary: Sequence[bytes], categorical: Sequence[str]) -> tuple[int, ...]:
    """Codes of the arms: those of the vocabulary, of rare or new arms, and of a missing one.

    Args:
        vocabulary: Transform's entries, in the order of their codes.
        categorical: Names of the categorical columns, in their order.

    Returns:
        The codes, see `trainer.preprocessing.code_count`; none for a study without arms.
    """
    if ARM not in categorical:
        return ()
    column = categorical.index(ARM)
    prefix = f"{column}{SEPARATOR}".encode()
    own = [code for code, entry in enumerate(vocabulary) if entry.startswith(prefix)]
    new = len(vocabulary) + column
    return (*own, new, new + len(categorical))


def arms_of(categories: NDArray[np.int32], arms: Sequence[int]) -> NDArray[np.int64]:
    """Arm of each subject, as a position among the codes of the arms.

    Args:
        categories: Codes of the subjects, `[subjects, categories]`.
        arms: Codes of the arms, as `arm_codes` gives them.

    Returns:
        int64 `[subjects]`; 0 for everyone in a study without arms.
    """
    if not arms:
        return np.zeros(len(categories), np.int64)
    column = int(np.argmax(np.isin(categories, arms).any(axis=0)))
    return np.searchsorted(np.asarray(arms), categories[:, column]).astype(np.int64)
