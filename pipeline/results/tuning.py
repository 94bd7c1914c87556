"""What procedures chose where hyperparameters are tuned out of fold: `tuning.json`."""

from __future__ import annotations

from pipeline.documents import Count, Document, parse_document
from pipeline.storage import read

TUNING_FILE = "tuning.json"
"""File name in the output `predictions` of CrossFit; absent unless it tuned."""


class TunedCandidate(Document):
    """Hyperparameters that the procedures could choose.

    Attributes:
        hyperparameters: Values of the hyperparameters that are searched, by name.
        procedures: Number of procedures that chose them.
    """

    hyperparameters: dict[str, int | float]
    procedures: Count


class Tuning(Document):
    """`tuning.json`; holds nothing about a subject.

    Attributes:
        candidates: All candidates; the first is what a run that does not tune takes.
    """

    candidates: tuple[TunedCandidate, ...]

    @property
    def procedures(self) -> int:
        """Number of procedures: one a fold and repeat."""
        return sum(candidate.procedures for candidate in self.candidates)

    @property
    def sentence(self) -> str:
        """Which share of the procedures chose what, for people.

        Examples:
            >>> untuned = TunedCandidate(hyperparameters={"depth": 2}, procedures=1)
            >>> flat = TunedCandidate(hyperparameters={"depth": 0}, procedures=4)
            >>> print(Tuning(candidates=(untuned, flat)).sentence.split(": ")[1].split(". ")[0])
            80 % set 2 (depth 0); 20 % set 1, the untuned one
        """
        ranked = sorted(self.candidates, key=lambda candidate: -candidate.procedures)
        shares = "; ".join(
            f"{100 * candidate.procedures / self.procedures:.0f} % "
            f"{self._words(candidate, candidate is ranked[0])}"
            for candidate in ranked
            if candidate.procedures
        )
        return (
            f"Each of the {self.procedures} procedures chose one of {len(self.candidates)} sets of "
            "hyperparameters by the loss on inner parts of its own training subjects, never on "
            f"those that it predicts: {shares}. The final model chose in the same way."
        )

    def _words(self, candidate: TunedCandidate, most_chosen: bool) -> str:
        """Number of a set of hyperparameters; the values of the one that was chosen most."""
        number = self.candidates.index(candidate) + 1
        name = "set 1, the untuned one" if number == 1 else f"set {number}"
        if not most_chosen:
            return name
        values = ", ".join(
            f"{name.replace('_', ' ')} {value:.3g}"
            for name, value in candidate.hyperparameters.items()
        )
        return f"{name} ({values})"


def read_tuning(folder: str) -> Tuning | None:
    """Reads `tuning.json`.

    Args:
        folder: Folder of CrossFit's output `predictions`, a local path or an address.

    Returns:
        The choices; None for a run that did not tune out of fold.

    Raises:
        UserError: The file is invalid.
    """
    path = f"{folder}/{TUNING_FILE}"
    text = read(path)
    if text is None:
        return None
    return parse_document(Tuning, text, path, "what CrossFit writes", "Run the pipeline again.")
