"""Original keys of subjects, for who has the data and the subject key."""

from __future__ import annotations

from components.trial_example_gen.subject_hashes import subject_hashes
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.formats import read
from pipeline.reading.plan import plan_scoring
from pipeline.reading.rows import RowPreparer
from pipeline.study.study import Study
from pipeline.subject_key import load_key


def subject_names(study: Study, data_root: str, key_reference: str) -> dict[str, str]:
    """Original key of each subject by its pseudonym.

    They are read from the data again, so that no artifact holds an original key.

    Args:
        study: The study.
        data_root: Folder of the data of subjects who are scored.
        key_reference: Where the subject key is.

    Raises:
        UserError: The subject key or a file can't be read.
    """
    key = load_key(key_reference)
    plan = plan_scoring(study, data_root).datasets[study.subject.dataset]
    preparer = RowPreparer(study, plan)
    names: dict[str, str] = {}
    for extent in plan.extents():
        for first_row, batch in read(extent, plan.format, plan.names):
            keys = preparer.prepare(extent.path, first_row, batch).table[SUBJECT].to_pylist()
            hashes = subject_hashes(study.study, keys, key)
            names |= {found.decode(): own for found, own in zip(hashes, keys, strict=True)}
    return names
