"""Simulates blocks of subjects of the synthetic trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from pipeline.synthetic.changes import amount
from pipeline.synthetic.datasets import (
    draw_adverse_events,
    draw_visit_days,
    draw_vital_signs,
    make_findings,
    make_laboratory,
    make_subject_level,
    make_time_to_event,
    with_change,
)
from pipeline.synthetic.subjects import (
    draw_baseline,
    draw_course,
    draw_follow_up,
    generator,
    make_terms,
    true_probabilities,
    with_final_score,
)
from pipeline.synthetic.trial import (
    VISIT_MISSED,
    Columns,
    SyntheticTrial,
    require,
)
from pipeline.synthetic.xpt_writer import Array


@dataclasses.dataclass(frozen=True)
class Block:
    """Up to 1,000 subjects, simulated.

    Attributes:
        datasets: Dataset name to columns: numbers float64 with NaN for missing, texts bytes
            (dtype S) with b"" for missing, dates in days since 1960-01-01.
        usubjid: (treated,) subjects of the safety population, dtype S20.
        terms: Term name to (treated,) float64.
        probabilities: Task to (treated,) float64.
    """

    datasets: Mapping[str, Columns]
    usubjid: Array
    terms: Mapping[str, Array]
    probabilities: Mapping[str, Array]


def simulate(trial: SyntheticTrial, block: int) -> Block:
    """Simulates one block of up to 1,000 subjects, the same for the same trial and block.

    Args:
        trial: Parameters of the trial.
        block: Number of the block, from 0 to `trial.blocks - 1`.

    Returns:
        The block's datasets and the truth behind them.

    Raises:
        UserError: The trial has no such block.
    """
    require(0 <= block < trial.blocks, "block", block, f"0 to {trial.blocks - 1}")
    rng = generator(trial, block)
    base = draw_baseline(trial, block, rng)
    course = draw_course(base, rng)
    terms = make_terms(base, course)
    probabilities = true_probabilities(trial, base, terms)
    follow = draw_follow_up(terms, probabilities, rng)
    course = with_final_score(base, course, follow.responder, rng)
    days = draw_visit_days(len(base.number), rng)
    missed = rng.random(days.shape) < np.array([0.0, *[VISIT_MISSED] * 3])
    attended = ~missed & (days <= follow.last_day[:, None])
    vital_signs = draw_vital_signs(base, course, rng)
    assay = amount(trial.changes, "assay", base.randomised)
    laboratory = make_laboratory(course, follow, days, assay)
    lost = amount(trial.changes, "feed", base.randomised)
    no_value = np.maximum(trial.lab_missing, lost)[:, np.newaxis]
    block_of_all = Block(
        datasets={
            "adsl": make_subject_level(trial, base, follow, rng),
            "adae": draw_adverse_events(base, course, follow, rng),
            "adlb": make_findings(base, laboratory, days, attended, no_value, rng),
            "advs": with_change(make_findings(base, vital_signs, days, attended, 0.0, rng)),
            "adtte": make_time_to_event(base, follow),
        },
        usubjid=base.usubjid[base.treated],
        terms={name: values[base.treated] for name, values in terms.items()},
        probabilities={task: values[base.treated] for task, values in probabilities.items()},
    )
    first, end = trial.enrolled
    return _only(block_of_all, base.usubjid[(base.randomised >= first) & (base.randomised < end)])


def _only(block: Block, subjects: Array) -> Block:
    """A block with some of its subjects."""
    kept = np.isin(block.usubjid, subjects)
    return Block(
        datasets={
            name: {key: values[np.isin(rows["USUBJID"], subjects)] for key, values in rows.items()}
            for name, rows in block.datasets.items()
        },
        usubjid=block.usubjid[kept],
        terms={name: values[kept] for name, values in block.terms.items()},
        probabilities={task: values[kept] for task, values in block.probabilities.items()},
    )
