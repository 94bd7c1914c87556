"""Follow-up that ended before the horizon: what `counts.json` holds of each task that has some.

Known labels are weighted for the subjects whose follow-up ended before the horizon; see
`pipeline.study.sections.Censoring`.
"""

from __future__ import annotations

from pydantic import Field

from pipeline.documents import Count, Document
from pipeline.estimates import Estimate

ALL_SUBJECTS = "all subjects"
"""Group of all subjects beside the arms."""

_DECIMALS = 3


class CensoredArm(Document):
    """Follow-up of one arm for one task.

    Counts are exact, and null in a published document.

    Attributes:
        subjects: Subjects whose follow-up is known: with a known label, or censored before the
            horizon.
        events: Subjects with the event by the horizon.
        competing: Subjects with a competing event before.
        complete: Subjects observed up to the horizon without either.
        censored: Subjects whose follow-up ended before the horizon without either.
        risk: Risk by the horizon, with its 95 % interval: Kaplan-Meier's, or Aalen and Johansen's
            where there are competing events; null where no subject is observed up to the horizon.
            Where G depends on slicings it is the mean of the strata by their subjects.
        naive: Share of the known labels that are positive, as if no subject had been censored.
        weighted: Weighted share of the known labels that are positive. It is `risk`, unless weights
            were cut or G is that of all arms together.
        observed: G at the horizon, of the stratum where it is smallest.
        largest_weight: Largest weight of a known label.
        truncated: Known labels whose weight was cut to `censoring.largest_weight`.
        effective: Effective sample size of the known labels (`pipeline.weights.effective_size`).
        strata: Number of strata in which G was estimated by itself.
        small_strata: Number of slices that were too small for that and were put together.
        is_pooled: Whether the arm is too small for an estimate of its own, so that G is that of
            all arms together.
    """

    subjects: Count | None
    events: Count | None
    competing: Count | None
    complete: Count | None
    censored: Count | None
    risk: Estimate
    naive: float | None
    weighted: float | None
    observed: float
    largest_weight: float
    truncated: Count | None
    effective: float
    strata: Count = 1
    small_strata: Count = 0
    is_pooled: bool = False

    @property
    def says_risk(self) -> bool:
        """Whether known labels can stand for the others: some are observed up to the horizon."""
        return self.risk.value is not None or self.is_pooled

    def is_shown(self, smallest: int) -> bool:
        """Whether numbers may be published: few censored subjects would follow from them."""
        if self.subjects is None or self.censored is None:
            return True
        return self.subjects >= smallest and not 0 < self.censored < smallest

    def published(self) -> CensoredArm:
        """The arm without counts, with numbers that are rounded."""
        return CensoredArm(
            subjects=None,
            events=None,
            competing=None,
            complete=None,
            censored=None,
            risk=Estimate(*map(_rounded, (self.risk.value, self.risk.lower, self.risk.upper))),
            naive=_rounded(self.naive),
            weighted=_rounded(self.weighted),
            observed=round(self.observed, 2),
            largest_weight=round(self.largest_weight, 1),
            truncated=None,
            effective=float(f"{self.effective:.2g}"),
            strata=self.strata,
            is_pooled=self.is_pooled,
        )


class CensoredTask(Document):
    """Follow-up of one task that has a `follow_up`.

    Attributes:
        horizon: The task's horizon.
        is_complete: Whether no subject's follow-up ended before the horizon: every weight is 1.
        has_competing: Whether the study file names competing events.
        by: Slicings by which G is estimated within each arm.
        overall: All subjects, of a study with several arms: their risk is that of the arms by their
            share of the subjects.
        arms: By arm; one entry under "" in a study without arms.
        suppressed: Arms that a published document does not show.
    """

    horizon: int
    is_complete: bool = False
    has_competing: bool = False
    by: tuple[str, ...] = ()
    overall: CensoredArm | None = None
    arms: dict[str, CensoredArm] = Field(default_factory=dict)
    suppressed: tuple[str, ...] = ()

    def is_determined(self, least: float) -> bool:
        """Whether known labels can stand for the others in every arm.

        Args:
            least: Smallest G at the horizon, `censoring.least_observed` of the task.
        """
        return all(arm.says_risk and arm.observed >= least for arm in self.arms.values())

    @property
    def whole(self) -> CensoredArm | None:
        """All subjects together: the only arm where there is one; None where not shown."""
        return self.overall or (self.arms.get("") if len(self.arms) == 1 else None)

    @property
    def by_group(self) -> dict[str, CensoredArm]:
        """All subjects under `ALL_SUBJECTS` where they are given, then each arm."""
        overall = {ALL_SUBJECTS: self.overall} if self.overall else {}
        return {**overall, **self.arms}

    def published(self, smallest: int) -> CensoredTask:
        """What a published document may hold.

        Args:
            smallest: Fewest subjects that a number is shown for.
        """
        shown = {arm: found for arm, found in self.arms.items() if found.is_shown(smallest)}
        return self.model_copy(
            update={
                "overall": self._published_overall(smallest),
                "arms": {arm: found.published() for arm, found in shown.items()},
                "suppressed": (*self.suppressed, *(arm for arm in self.arms if arm not in shown)),
            }
        )

    def _published_overall(self, smallest: int) -> CensoredArm | None:
        """All subjects, unless few censored ones follow: of them, or of arms that are not shown."""
        if self.overall is None or not self.overall.is_shown(smallest):
            return None
        hidden = [arm.censored or 0 for arm in self.arms.values() if not arm.is_shown(smallest)]
        if hidden and (len(hidden) == 1 or sum(hidden) < smallest):
            return None
        return self.overall.published()


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, _DECIMALS)
