"""What is hidden of a study while its trial is ongoing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.documents import StrictModel


class Hidden(StrictModel):
    """What the blinded study of an ongoing trial lacks; the pipeline writes it, no person does.

    Attributes:
        arm: Columns of the arm, which TrialExampleGen alone looks at, to refuse features that
            disclose them.
        features: Features that were columns of the arm.
        slicings: Slicings by the arm.
    """

    arm: Annotated[tuple[str, ...], Field(min_length=1)]
    features: tuple[str, ...] = ()
    slicings: tuple[str, ...] = ()
