"""The sections of a study file, validated separately; `pipeline.study.rules` has their rules."""

from pipeline.study.sections.conduct import Hidden
from pipeline.study.sections.data import (
    Arm,
    Column,
    Dataset,
    Site,
    Subject,
    Window,
)
from pipeline.study.sections.database import Database
from pipeline.study.sections.evaluation import (
    Gate,
    Minimum,
    Period,
    Slicing,
    Slicings,
    Split,
    SplitMinimum,
    Threshold,
    TrainMinimum,
)
from pipeline.study.sections.monitoring import CalendarPeriod, MonitoringRules
from pipeline.study.sections.prediction import (
    Censoring,
    EventLabel,
    Feature,
    FollowUp,
    Landmark,
    LandmarkOrder,
    StateLabel,
    Task,
)
from pipeline.study.sections.registry import RegistryRules
from pipeline.study.sections.reporting import (
    Analysis,
    Card,
    TimeToEvent,
)
from pipeline.study.sections.retrain import RetrainReason, RetrainRules
from pipeline.study.sections.scheme import DefaultThresholds, Evaluation, Scheme
from pipeline.study.sections.scoring import Reaction, Scoring
from pipeline.study.sections.summary import (
    AdverseEvents,
    Disposition,
    Summary,
    Visits,
)
from pipeline.study.sections.training import Hyperparameters, Training, check_hyperparameters
from pipeline.study.sections.types import (
    FORMAT_VERSION,
    Aggregate,
    ColumnType,
    Holds,
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
    "CalendarPeriod",
    "Card",
    "Censoring",
    "Column",
    "ColumnType",
    "Database",
    "Dataset",
    "DefaultThresholds",
    "Disposition",
    "Evaluation",
    "EventLabel",
    "Feature",
    "FollowUp",
    "Gate",
    "Hidden",
    "Holds",
    "Hyperparameters",
    "Known",
    "Landmark",
    "LandmarkOrder",
    "Minimum",
    "MonitoringRules",
    "Name",
    "Period",
    "Reaction",
    "RegistryRules",
    "RetrainReason",
    "RetrainRules",
    "Scheme",
    "Scoring",
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
    "check_hyperparameters",
    "refuse",
]
