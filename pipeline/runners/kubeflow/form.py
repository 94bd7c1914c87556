"""The form of a run: the fields of a compiled package, and the values given for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.documents import read_yaml
from pipeline.errors import UserError
from pipeline.names import LARGEST_WHOLE_NUMBER

_WHOLE_NUMBER = re.compile(r"[0-9]{1,20}")
_SUFFIXES = (".yaml", ".yml")
"""Suffixes by which kfp's client recognizes a package."""


@dataclass(frozen=True)
class RunForm:
    """The form of a compiled package's runs.

    Attributes:
        package: The package.
        pipeline: Name of its pipeline: `trial-`, `valid-` or `score-` and the study's.
        fields: Definition of each runtime parameter: `parameterType`, `defaultValue`,
            `description`.
    """

    package: Path
    pipeline: str
    fields: Mapping[str, Mapping[str, Any]]


def read_values(form: RunForm, parameters: Path | None, lines: Sequence[str]) -> dict[str, object]:
    """Values for the form of a run, from a file and from lines; lines take precedence.

    Args:
        form: The form.
        parameters: YAML file with values; None for no file.
        lines: `name=value` each.

    Raises:
        UserError: The file can't be read, or a value does not fit the form.
    """
    return form_values(form.fields, {**_file_values(parameters), **_line_values(lines)})


def read_form(package: Path) -> RunForm:
    """Reads the form of a compiled package.

    Args:
        package: YAML file that `make compile` wrote.

    Raises:
        UserError: The file does not exist, or is not a package.
    """
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    if package.suffix not in _SUFFIXES:
        raise UserError(f"{package}: expected the .yaml file that `make compile` wrote.")
    try:
        spec, *platforms = yaml.safe_load_all(package.read_text(encoding="utf-8"))
        fields = spec["root"]["inputDefinitions"]["parameters"]
        form = RunForm(package, str(spec["pipelineInfo"]["name"]), fields)
        # Parsed as the client and the backend parse it.
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        for platform in platforms:
            json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    except json_format.ParseError as error:
        raise UserError(
            f"{package}: Kubeflow Pipelines can't parse it ({error}): compile it again."
        ) from error
    except OSError as error:
        raise UserError(
            f"{package}: the package can't be read ({error.strerror}): `make compile` writes it."
        ) from error
    except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{package}: not a compiled package: give the .yaml that `make compile` wrote."
        ) from error
    return form


def form_values(
    fields: Mapping[str, Mapping[str, Any]], given: Mapping[str, object]
) -> dict[str, object]:
    """Values for the run's form in the types that it declares.

    Args:
        fields: The form's fields.
        given: Values from the user, as text or as parsed YAML.

    Raises:
        UserError: A field is unknown, or a value is not of its type.
    """
    values: dict[str, object] = {}
    for name, value in given.items():
        if name not in fields:
            raise UserError(
                f"The package has no parameter {name}; it has: {', '.join(sorted(fields))}."
            )
        kind = fields[name]["parameterType"]
        if kind == "NUMBER_INTEGER":
            values[name] = whole_number(name, value)
        elif isinstance(value, str):
            values[name] = value
        else:
            # Parsed as YAML, 0012 would be 10 and an empty line None.
            raise UserError(
                f"Parameter {name}: expected text, found {value!r}: put it in quotes, or leave the "
                "line out."
            )
    return values


def whole_number(name: str, value: object) -> int:
    """A seed or a number of steps, within the limits that the options of `trial run` have.

    Args:
        name: Name of the parameter.
        value: Text or number.

    Raises:
        UserError: It is something else.
    """
    is_whole = not isinstance(value, bool) and _WHOLE_NUMBER.fullmatch(str(value))
    if not is_whole or int(str(value)) > LARGEST_WHOLE_NUMBER:
        raise UserError(
            f"Parameter {name}: expected a whole number from 0 to {LARGEST_WHOLE_NUMBER}, found "
            f"{value!r}."
        )
    return int(str(value))


def _file_values(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    content = read_yaml(path, "parameters")
    if content is not None and not isinstance(content, dict):
        raise UserError(f"{path}: expected lines such as `steps: 500`.")
    return content or {}


def _line_values(lines: Sequence[str]) -> dict[str, str]:
    for line in lines:
        if "=" not in line:
            raise UserError(f"--set {line}: expected name=value.")
    return dict(line.split("=", 1) for line in lines)
