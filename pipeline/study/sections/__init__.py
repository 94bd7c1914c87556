"""The sections of a study file, validated separately; `pipeline.study.rules` has their rules."""

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
    Minimum,
    Slicing,
    Slicings,
    Split,
    SplitMinimum,
    Threshold,
    Training,
    TrainMinimum,
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
from pipeline.study.sections.scheme import Evaluation, Scheme
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
    StudyName,
    refuse,
)
from pipeline.study.sections.validation import Validation

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
    "Evaluation",
    "EventLabel",
    "Feature",
    "FollowUp",
    "Gate",
    "Known",
    "Landmark",
    "Minimum",
    "Name",
    "Scheme",
    "Severity",
    "Share",
    "Side",
    "Site",
    "Slicing",
    "Slicings",
    "Split",
    "SplitMinimum",
    "StateLabel",
    "StudyName",
    "Subject",
    "Summary",
    "Task",
    "Threshold",
    "TimeToEvent",
    "TrainMinimum",
    "Training",
    "Validation",
    "Visits",
    "Window",
    "refuse",
]
