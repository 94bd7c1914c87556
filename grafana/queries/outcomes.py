"""SQL about the outcomes of comparisons, which the Evaluator's judge recorded."""

from __future__ import annotations

from pipeline.results.outcomes import BY_WEIGHT, WORDS


def outcome_weight(column: str) -> str:
    """SQL of an outcome's weight: of several comparisons the greatest counts.

    Args:
        column: SQL of the outcome.
    """
    cases = " ".join(f"WHEN '{outcome}' THEN {weight}" for weight, outcome in enumerate(BY_WEIGHT))
    return f"CASE {column} {cases} END"


def outcome_word(weight: str) -> str:
    """SQL of the word for an outcome.

    Args:
        weight: SQL of its weight.
    """
    cases = " ".join(
        f"WHEN {place} THEN '{WORDS[outcome]}'" for place, outcome in enumerate(BY_WEIGHT)
    )
    return f"CASE {weight} {cases} END"
