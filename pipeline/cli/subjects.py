"""Subjects that a person names on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

FROM_INPUT = "-"
"""Instead of a subject: any number is read from standard input, one a line."""


def named_subjects(study: str, subject: str, is_pseudonym: bool) -> tuple[str, list[str]]:
    """Finds the pseudonyms of subjects.

    Args:
        study: Name of a study, or a study file.
        subject: An original key, a pseudonym, or `FROM_INPUT`.
        is_pseudonym: Whether pseudonyms are given.

    Returns:
        Name of the study, and the pseudonyms.

    Raises:
        UserError: The study file or the subject key can't be read.
    """
    from components.trial_example_gen.subject_hashes import subject_hashes
    from pipeline.config import SUBJECT_KEY_FILE
    from pipeline.study.load import load_study
    from pipeline.subject_key import load_key, local_key

    if Path(study).suffix in (".yaml", ".yml"):
        study = load_study(Path(study)).study
    subjects = [subject]
    if subject == FROM_INPUT:
        subjects = [line for line in sys.stdin.read().splitlines() if line]
    if is_pseudonym:
        return study, subjects
    hashes = subject_hashes(study, subjects, load_key(local_key(SUBJECT_KEY_FILE)))
    return study, [found.decode() for found in hashes]
