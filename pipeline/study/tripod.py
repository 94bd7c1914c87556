"""The items of TRIPOD+AI, and who can answer each of them.

Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting
clinical prediction models that use regression or machine learning methods. BMJ 2024;385:e078378.
Numbers are the statement's; what an item asks is put here in other words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

FilledBy = Literal["run", "both", "person"]
"""Who can answer an item: the run by itself, the run in part, or a person alone."""


@dataclass(frozen=True)
class Item:
    """An item of the statement.

    Attributes:
        number: Its number.
        part: The part of a paper that it belongs to.
        asks: What it asks for.
        filled_by: Who can answer it.
        section: Where a model card answers it: the section's id; empty if a person alone can.
    """

    number: str
    part: str
    asks: str
    filled_by: FilledBy
    section: str = ""


_ALL = (
    Item("1", "Title", "that a prediction model is developed or evaluated, for whom, of what", "run", "intended-use"),
    Item("2", "Abstract", "an abstract by TRIPOD+AI for Abstracts", "person"),
    Item("3a", "Introduction", "the health care context, why the model is needed, existing models", "person"),
    Item("3b", "Introduction", "target population, intended purpose and users", "person"),
    Item("3c", "Introduction", "known health inequalities between groups", "person"),
    Item("4", "Introduction", "objectives: development, evaluation, or both", "run", "intended-use"),
    Item("5a", "Methods", "sources of the data, and why they represent the target population", "both", "data"),
    Item("5b", "Methods", "dates of the data: start and end of enrolment and follow-up", "person"),
    Item("6a", "Methods", "setting: number and location of centres", "both", "participants"),
    Item("6b", "Methods", "who was eligible", "both", "participants"),
    Item("6c", "Methods", "treatments received, and how they were handled", "both", "participants"),
    Item("7", "Methods", "preparation of the data, and whether it was alike across groups", "run", "predictors"),
    Item("8a", "Methods", "the outcome and its horizon, how and when it was assessed", "both", "outcomes"),
    Item("8b", "Methods", "who assessed a subjective outcome", "person"),
    Item("8c", "Methods", "blinding of the assessment of the outcome", "person"),
    Item("9a", "Methods", "why the initial predictors were chosen", "person"),
    Item("9b", "Methods", "all predictors: definition, when and how they were measured", "run", "predictors"),
    Item("9c", "Methods", "who measured subjective predictors", "person"),
    Item("10", "Methods", "how the size of the sample was arrived at", "both", "participants"),
    Item("11", "Methods", "missing data: how they were handled, why subjects were left out", "run", "missing-data"),
    Item("12a", "Methods", "how the data were divided for development and evaluation", "run", "training"),
    Item("12b", "Methods", "how predictors were handled: form, scaling, transformation", "run", "training"),
    Item("12c", "Methods", "type of model, building, hyperparameters, internal validation", "run", "training"),
    Item("12d", "Methods", "differences between clusters such as centres or countries", "run", "performance"),
    Item("12e", "Methods", "measures and plots of performance, and why these", "run", "performance"),
    Item("12f", "Methods", "updating of the model, such as recalibration", "run", "calibration"),
    Item("12g", "Methods", "how predictions were calculated for the evaluation", "run", "training"),
    Item("13", "Methods", "class imbalance: methods, and recalibration after them", "run", "training"),
    Item("14", "Methods", "approaches to fairness and their reasons", "run", "fairness"),
    Item("15", "Methods", "output of the model, classes and their thresholds", "run", "outcomes"),
    Item("16", "Methods", "differences between development and evaluation data", "run", "participants"),
    Item("17", "Methods", "ethical approval and consent", "person"),
    Item("18a", "Open science", "funding and the role of funders", "person"),
    Item("18b", "Open science", "conflicts of interest", "person"),
    Item("18c", "Open science", "where the protocol is", "person"),
    Item("18d", "Open science", "registration of the study", "person"),
    Item("18e", "Open science", "availability of the data", "person"),
    Item("18f", "Open science", "availability of the code", "both", "lineage"),
    Item("19", "Patient and public involvement", "patients' and the public's part in the study", "person"),
    Item("20a", "Results", "flow of participants, with and without the outcome", "run", "participants"),
    Item("20b", "Results", "characteristics overall and by group, with missing data", "both", "missing-data"),
    Item("20c", "Results", "comparison of development and evaluation data in important predictors", "run", "gate"),
    Item("21", "Results", "participants and outcomes in each analysis", "run", "participants"),
    Item("22", "Results", "the full model, so that others can predict with it", "run", "lineage"),
    Item("23a", "Results", "performance with intervals, in key groups too", "run", "performance"),
    Item("23b", "Results", "heterogeneity of performance between clusters", "run", "performance"),
    Item("24", "Results", "results of updating", "run", "calibration"),
    Item("25", "Discussion", "interpretation of the main results, fairness included", "person"),
    Item("26", "Discussion", "limitations of the study", "both", "limits"),
    Item("27a", "Discussion", "how poor or missing input is handled when the model is used", "run", "missing-data"),
    Item("27b", "Discussion", "what users must do with the input and output", "person"),
    Item("27c", "Discussion", "next steps, applicability and generalisability", "person"),
)  # fmt: skip

ITEMS: Mapping[str, Item] = MappingProxyType({item.number: item for item in _ALL})
"""All items by number."""
