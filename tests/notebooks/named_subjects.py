"""Which subjects of a run a text names."""

from __future__ import annotations

import gzip
import re

from tests.whole_runs import SUBJECTS, Run


def subjects_named(text: str, run: Run) -> set[str]:
    """Identifiers of the run's data in a text, and pseudonyms that examples have in their place."""
    (data,) = (run.root / "data").glob("*/adsl-*.xpt")
    examples = run.output("TrialExampleGen", "examples").glob("*/*.gz")
    identifiers = {found.decode() for found in re.findall(rb"SYN01-\d{3}-\d{7}", data.read_bytes())}
    pseudonyms = {
        found.decode()
        for path in examples
        for found in re.findall(
            rb"subject_hash.{1,10}?([0-9a-f]{32})", gzip.decompress(path.read_bytes()), re.DOTALL
        )
    }
    assert len(identifiers) == SUBJECTS
    # Those outside of the population have no example.
    assert len(pseudonyms) > 0.9 * SUBJECTS
    return set(re.findall(r"[\w-]+", text)) & (identifiers | pseudonyms)
