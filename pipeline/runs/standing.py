"""What follows from the entries of a registry's trail: the champion, who approved, what is retired.

The one place with the rules. The champion is the model that was promoted last of those that were
neither rolled back nor retired since.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.results.trail import Standing, TrailEntry


def after(standing: Standing, entry: TrailEntry) -> Standing:
    """What holds after an entry.

    Args:
        standing: What holds before it.
        entry: The entry.

    Examples:
        >>> from pipeline.results.trail import Actor
        >>> known = {"previous": "", "at": "", "actor": Actor(account="ada@ward")}
        >>> now = Standing()
        >>> for number, (action, model) in enumerate(
        ...     [("promoted", "a"), ("promoted", "b"), ("rolled_back", "a")], start=1
        ... ):
        ...     now = after(now, TrailEntry(number=number, action=action, model=model, **known))
        >>> now.champion, now.suspended
        ('a', True)
    """
    found = _changes(standing, entry)
    if not found:
        return standing
    changed = standing.model_copy(update=found)
    if changed.champion == standing.champion:
        return changed
    # Who approved has compared the model with the champion of then.
    former = dict.fromkeys((*standing.former, *filter(None, (changed.champion,))))
    return changed.model_copy(update={"approvals": {}, "former": tuple(former)})


def after_all(entries: Iterable[TrailEntry]) -> Standing:
    """What holds after all entries of a trail."""
    standing = Standing()
    for entry in entries:
        standing = after(standing, entry)
    return standing


def _changes(standing: Standing, entry: TrailEntry) -> dict[str, object]:
    model, promoted = entry.model, standing.promoted
    if entry.action == "adopted":
        ids = [found for found in entry.models if found != entry.champion]
        taken = (*ids, *filter(None, (entry.champion,)))
        return {"promoted": taken, "former": taken}
    if entry.action == "approved":
        given = (*standing.approvals.get(model, ()), entry.actor)
        return {"approvals": {**standing.approvals, model: given}}
    if entry.action == "promoted":
        return {"promoted": (*promoted, model)}
    if entry.action == "rolled_back":
        last = max(number for number, found in enumerate(promoted) if found == model)
        return {"promoted": promoted[: last + 1], "suspended": True}
    if entry.action == "retired":
        kept = tuple(found for found in promoted if found != model)
        return {
            "promoted": _without_repeats(kept),
            "retired": (*standing.retired, model),
            "suspended": standing.suspended or model == standing.champion,
            "approvals": {key: by for key, by in standing.approvals.items() if key != model},
        }
    if entry.action == "resumed":
        return {"suspended": False}
    return {}


def _without_repeats(models: tuple[str, ...]) -> tuple[str, ...]:
    """Models without those that follow themselves, as after the one between them was retired."""
    return tuple(m for number, m in enumerate(models) if number == 0 or models[number - 1] != m)
