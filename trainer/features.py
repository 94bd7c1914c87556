"""Columns of an example that the model reads, and their form in `custom_config`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pipeline.errors import UserError
from pipeline.names import label_key, weight_key

NUMBERS = "numbers"
"""Transformed numbers of a subject: float32 `[numbers]`."""

CATEGORIES = "categories"
"""Codes of a subject's categories: int64 `[categories]`."""

INPUTS_KEY = "inputs"
"""Key of `custom_config` that holds `ModelInputs.to_config()`."""


@dataclasses.dataclass(frozen=True)
class ModelInputs:
    """Columns of an example that the model reads, by role.

    Attributes:
        numeric: Columns with a number, absent where it is missing.
        categorical: Columns with a text, absent where it is missing.
        tasks: Names of the tasks; their labels and weights are columns too, see
            `pipeline.names`.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    tasks: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.numeric and not self.categorical:
            raise UserError("The model has no feature: name at least one in the study file.")
        if not self.tasks:
            raise UserError("The model has no task: name at least one in the study file.")
        for role, names in dataclasses.asdict(self).items():
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise UserError(f"{role}: named more than once: {', '.join(twice)}.")
        both = sorted(set(self.numeric) & set(self.categorical))
        if both:
            raise UserError(f"Named as numeric and as categorical feature: {', '.join(both)}.")

    @property
    def features(self) -> tuple[str, ...]:
        """All columns that serving needs."""
        return self.numeric + self.categorical

    @property
    def label_columns(self) -> tuple[str, ...]:
        """Columns of the labels, in the order of the tasks."""
        return tuple(label_key(task) for task in self.tasks)

    @property
    def weight_columns(self) -> tuple[str, ...]:
        """Columns of the weights, in the order of the tasks."""
        return tuple(weight_key(task) for task in self.tasks)

    def to_config(self) -> dict[str, Any]:
        """The same as JSON-able values, for a component's `custom_config`."""
        return {role: list(names) for role, names in dataclasses.asdict(self).items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ModelInputs:
        """Reads what `to_config` wrote.

        Args:
            config: Lists of column names under `numeric`, `categorical` and `tasks`.

        Returns:
            The inputs.

        Raises:
            UserError: A key is missing or unknown, or a name is repeated.
        """
        roles = {field.name for field in dataclasses.fields(cls)}
        if set(config) != roles:
            raise UserError(
                f"inputs: expected the keys {', '.join(sorted(roles))}, "
                f"found {', '.join(sorted(config)) or 'none'}."
            )
        return cls(**{role: tuple(config[role]) for role in roles})


def model_inputs(custom_config: Mapping[str, Any] | None) -> ModelInputs:
    """Reads the inputs from the `custom_config` of Transform, Tuner or Trainer.

    Args:
        custom_config: The component's `custom_config`.

    Returns:
        The inputs.

    Raises:
        UserError: It has no inputs.
    """
    if not custom_config or INPUTS_KEY not in custom_config:
        raise UserError(
            f"custom_config has no key {INPUTS_KEY!r}: give Transform, Tuner and Trainer "
            "ModelInputs.to_config() there."
        )
    return ModelInputs.from_config(custom_config[INPUTS_KEY])
