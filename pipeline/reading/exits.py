"""Who left the trial by the landmark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.days import date_range, study_days
from pipeline.study.study import Study


def left_by_landmark(
    study: Study, subjects: pa.Table, reference: NDArray[Any]
) -> NDArray[np.bool_]:
    """Subjects who left the trial at or before the landmark, or may have.

    Args:
        study: The study.
        subjects: Own rows of n subjects.
        reference: Date of the first study day of each, in days from 1970-01-01, NaN where missing,
            shape [n].

    Returns:
        Booleans, shape [n].
    """
    if study.subject.exit_day:
        exit_day = subjects[study.subject.exit_day].to_numpy()
    elif study.subject.exit_date:
        dates = date_range(subjects, study.subject.exit_date)
        exit_day = study_days(dates, reference, study.first_day).earliest
    else:
        return np.zeros(len(subjects), bool)
    return exit_day <= study.landmark_day
