"""What decides which registered model is served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.trail import Actor
from pipeline.runs.changes import Rules, promote, resume, retire, roll_back
from pipeline.runs.register import NONE, Decision
from pipeline.runs.registry import Registry
from tests.pipeline.runs.governed import (
    ADA,
    GRACE,
    STUDY,
    actions,
    add,
    champion_id,
    decision,
    registered,
    rewrite,
)


@pytest.fixture
def root(registry_root: str) -> str:
    return registry_root


def by_person(champion: str = NONE) -> Decision:
    return Decision(compared_with=champion, rule="person")


def test_by_default_a_blessed_model_becomes_the_champion(root: str, tmp_path: Path) -> None:
    found = add(root, tmp_path, "a")

    assert found.is_champion
    assert champion_id(root) == found.entry.id
    assert actions(root) == ["registered", "promoted"]


@pytest.mark.parametrize("rule", ["person", "two_persons"])
def test_where_persons_decide_a_blessed_model_is_a_candidate(
    root: str, tmp_path: Path, rule: str
) -> None:
    found = add(root, tmp_path, "a", Decision(NONE, rule))  # type: ignore[arg-type]

    assert not found.is_champion
    assert f"`registry.promotion: {rule}`" in str(found.reason)
    assert champion_id(root) is None


def test_a_person_promotes_a_candidate_and_the_trail_says_who_and_why(
    root: str, tmp_path: Path
) -> None:
    model = add(root, tmp_path, "a", by_person()).entry

    changed = promote(root, decision(), model.id, Rules("person", study_digest="file"))

    assert champion_id(root) == changed.now == model.id
    last = Registry(root).book(STUDY).entries()[-1]
    assert (last.actor, last.reason, last.model) == (ADA, "because of the audit", model.id)
    assert (last.run, last.rule, last.study_digest) == ("run of a", "person", "file")


def test_two_persons_must_approve(root: str, tmp_path: Path) -> None:
    model = add(root, tmp_path, "a", by_person()).entry
    rules = Rules("two_persons")

    first = promote(root, decision(ADA), model.id, rules)
    assert (first.missing, champion_id(root)) == (1, None)
    with pytest.raises(UserError, match=r"ada@ward has approved of .* already"):
        promote(root, decision(ADA), model.id, rules)
    second = promote(root, decision(GRACE), model.id, rules)

    assert (second.missing, champion_id(root)) == (0, model.id)
    assert second.entry.approvals == (ADA,)


def test_the_same_name_in_other_letters_is_the_same_person(root: str, tmp_path: Path) -> None:
    model = add(root, tmp_path, "a", by_person()).entry
    promote(root, decision(Actor(account="ci", name="Ada Byron")), model.id, Rules("two_persons"))

    with pytest.raises(UserError, match="has approved"):
        promote(
            root, decision(Actor(account="ci", name=" ada  BYRON")), model.id, Rules("two_persons")
        )


def test_an_approval_is_void_after_another_model_became_the_champion(
    root: str, tmp_path: Path
) -> None:
    first = add(root, tmp_path, "a", by_person()).entry
    other = add(root, tmp_path, "b", by_person()).entry
    promote(root, decision(ADA), first.id, Rules("two_persons"))
    promote(root, decision(GRACE), other.id, Rules("person"))

    again = promote(root, decision(GRACE), first.id, Rules("two_persons"), True)

    assert (again.missing, champion_id(root)) == (1, other.id)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({"card": False}, "holds no card.json"),
        ({"blessed": False}, "was not blessed"),
    ],
)
def test_no_way_leads_a_model_without_card_or_blessing_to_the_champion(
    root: str, tmp_path: Path, kept: dict[str, bool], message: str
) -> None:
    found = add(root, tmp_path, "a", **kept)  # type: ignore[arg-type]

    assert not found.is_champion
    assert message in str(found.reason)
    with pytest.raises(UserError, match=message):
        promote(root, decision(), found.entry.id, Rules())
    assert champion_id(root) is None


def test_a_card_of_another_model_is_no_card(root: str, tmp_path: Path) -> None:
    model = add(root, tmp_path, "a", by_person()).entry
    rewrite(f"{model.documents_uri}/card.json", '"data"', '"other data"')

    with pytest.raises(UserError, match="is that of another model"):
        promote(root, decision(), model.id, Rules())


def test_a_promotion_that_drops_a_task_needs_the_leave_of_the_study_file(
    root: str, tmp_path: Path
) -> None:
    champion = add(root, tmp_path, "a", tasks=("death", "bleeding")).entry
    card = f"{champion.documents_uri}/card.json"
    outcomes = [{"name": "bleeding", "title": "Any bleed"}]
    content = {**json.loads(storage.read(card) or b""), "outcomes": outcomes}
    storage.write_whole(card, json.dumps(content).encode())
    fewer = add(root, tmp_path, "b", by_person(champion.id), tasks=("death",)).entry

    with pytest.raises(UserError, match=r"would not serve Any bleed, .*drop_tasks: allowed"):
        promote(root, decision(), fewer.id, Rules("person"))
    promote(root, decision(), fewer.id, Rules("person", drop_tasks="allowed"))

    assert champion_id(root) == fewer.id


def test_a_run_that_drops_a_task_needs_the_same_leave(root: str, tmp_path: Path) -> None:
    champion = add(root, tmp_path, "a", tasks=("death", "bleeding")).entry

    refused = add(root, tmp_path, "b", Decision(champion.id), tasks=("death",))
    allowed = add(
        root, tmp_path, "c", Decision(champion.id, drop_tasks="allowed"), tasks=("death",)
    )

    assert "would not serve bleeding" in str(refused.reason)
    assert champion_id(root) == allowed.entry.id


def test_a_rollback_makes_the_champion_before_the_champion_again(root: str, tmp_path: Path) -> None:
    first, second, third = registered(root, tmp_path, "a", "b", "c")

    roll_back(root, decision())
    assert champion_id(root) == second.id
    roll_back(root, decision())
    assert champion_id(root) == first.id
    with pytest.raises(UserError, match="no former champion to go back to"):
        roll_back(root, decision())
    assert third.id not in Registry(root).book(STUDY).standing.promoted


def test_a_rollback_may_name_an_earlier_champion(root: str, tmp_path: Path) -> None:
    first, _, third = registered(root, tmp_path, "a", "b", "c")

    with pytest.raises(UserError, match=f"{third.id} is no champion before {third.id}"):
        roll_back(root, decision(), third.id)
    roll_back(root, decision(), first.id)

    assert champion_id(root) == first.id


def test_after_a_rollback_no_run_promotes_until_a_person_lifts_that(
    root: str, tmp_path: Path
) -> None:
    first, _ = registered(root, tmp_path, "a", "b")
    roll_back(root, decision())

    waiting = add(root, tmp_path, "c")
    assert "suspended since a rollback" in str(waiting.reason)
    assert champion_id(root) == first.id
    resume(root, decision())

    assert add(root, tmp_path, "d").is_champion


def test_a_candidate_of_the_suspension_is_promoted_when_a_run_makes_it_again(
    root: str, tmp_path: Path
) -> None:
    registered(root, tmp_path, "a", "b")
    roll_back(root, decision())
    waiting = add(root, tmp_path, "c").entry
    assert add(root, tmp_path, "c").entry == waiting
    resume(root, decision())

    again = add(root, tmp_path, "c")

    assert (again.is_champion, again.entry) == (True, waiting)
    assert len(Registry(root).history(STUDY)) == 3


def test_resuming_what_is_not_suspended_is_refused(root: str, tmp_path: Path) -> None:
    registered(root, tmp_path, "a")

    with pytest.raises(UserError, match="is not suspended"):
        resume(root, decision())


def test_after_the_champion_was_retired_the_one_before_it_is_served_and_no_run_promotes(
    root: str, tmp_path: Path
) -> None:
    first, second = registered(root, tmp_path, "a", "b")

    retire(root, decision(), second.id)

    assert champion_id(root) == first.id
    assert not add(root, tmp_path, "c").is_champion


def test_without_another_model_nothing_is_served_after_the_champion_was_retired(
    root: str, tmp_path: Path
) -> None:
    (only,) = registered(root, tmp_path, "a")

    retire(root, decision(), only.id)

    assert champion_id(root) is None
    assert Registry(root).champion_token(STUDY) == NONE


def test_a_retired_model_is_not_served_again(root: str, tmp_path: Path) -> None:
    first, second = registered(root, tmp_path, "a", "b")
    retire(root, decision(), first.id)

    with pytest.raises(UserError, match="was retired"):
        promote(root, decision(), first.id, Rules())
    with pytest.raises(UserError, match="no former champion"):
        roll_back(root, decision())
    assert "this very model was retired" in str(add(root, tmp_path, "a").reason)
    assert champion_id(root) == second.id


def test_a_run_is_refused_whose_model_was_compared_with_another_champion(
    root: str, tmp_path: Path
) -> None:
    (first,) = registered(root, tmp_path, "a")
    second = add(root, tmp_path, "b", Decision(first.id))

    late = add(root, tmp_path, "c", Decision(first.id))

    assert (second.is_champion, late.is_champion) == (True, False)
    assert f"compared with the champion {first.id}" in str(late.reason)
    assert f"now the champion is {second.entry.id}: run again" in str(late.reason)
    assert champion_id(root) == second.entry.id


def test_a_person_promotes_such_a_model_only_by_saying_so(root: str, tmp_path: Path) -> None:
    (first,) = registered(root, tmp_path, "a")
    add(root, tmp_path, "b", Decision(first.id))
    late = add(root, tmp_path, "c", Decision(first.id)).entry

    with pytest.raises(UserError, match=r"was compared with .*--although-not-compared"):
        promote(root, decision(), late.id, Rules())
    promote(root, decision(), late.id, Rules(), although_not_compared=True)

    assert champion_id(root) == late.id


def test_a_decision_on_a_champion_that_is_not_the_one_seen_is_refused(
    root: str, tmp_path: Path
) -> None:
    first, second = registered(root, tmp_path, "a", "b")

    with pytest.raises(UserError, match=f"is {second.id}, not {first.id}: it was changed since"):
        roll_back(root, decision(seen=first.id))

    assert champion_id(root) == second.id


def test_a_reason_is_demanded(root: str, tmp_path: Path) -> None:
    registered(root, tmp_path, "a", "b")

    with pytest.raises(UserError, match="reason is empty"):
        roll_back(root, decision().__class__(STUDY, ADA, " "))
