"""The sections of a study file, each validated by itself; the rules between them: `rules`."""

from pipeline.study.sections.data import (
    Arm,
    Column,
    Dataset,
    Site,
    Subject,
    Window,
)
from pipeline.study.sections.evaluation import (
    Gate,
    Slicing,
    Slicings,
    Split,
    SplitMinimum,
    Threshold,
    Training,
)
from pipeline.study.sections.prediction import (
    EventLabel,
    Feature,
    FollowUp,
    Landmark,
    StateLabel,
    Task,
)
from pipeline.study.sections.reporting import (
    Analysis,
    Card,
    TimeToEvent,
)
from pipeline.study.sections.summary import (
    AdverseEvents,
    Disposition,
    Summary,
    Visits,
)
from pipeline.study.sections.types import (
    FORMAT_VERSION,
    Aggregate,
    ColumnType,
    Known,
    Name,
    Severity,
    Share,
    Side,
    refuse,
)

__all__ = [
    "FORMAT_VERSION",
    "AdverseEvents",
    "Aggregate",
    "Analysis",
    "Arm",
    "Card",
    "Column",
    "ColumnType",
    "Dataset",
    "Disposition",
    "EventLabel",
    "Feature",
    "FollowUp",
    "Gate",
    "Known",
    "Landmark",
    "Name",
    "Severity",
    "Share",
    "Side",
    "Site",
    "Slicing",
    "Slicings",
    "Split",
    "SplitMinimum",
    "StateLabel",
    "Subject",
    "Summary",
    "Task",
    "Threshold",
    "TimeToEvent",
    "Training",
    "Visits",
    "Window",
    "refuse",
]
