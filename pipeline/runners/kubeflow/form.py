"""The form of a run: the fields of a compiled package, and the values given for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.documents import read_yaml
from pipeline.errors import UserError

_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_SUFFIXES = (".yaml", ".yml")
"""Suffixes by which kfp's client recognizes a package."""


def read_values(package: Path, parameters: Path | None, lines: Sequence[str]) -> dict[str, object]:
    """Values for the run's form of a package, from a file and from lines; lines take precedence.

    Args:
        package: The compiled package.
        parameters: YAML file with values; None for no file.
        lines: `name=value` each.

    Raises:
        UserError: The package or the file can't be read, or a value does not fit the form.
    """
    return form_values(read_form(package), {**_file_values(parameters), **_line_values(lines)})


def read_form(package: Path) -> dict[str, dict[str, Any]]:
    """Fields of the run's form of a package.

    Args:
        package: YAML file that `make compile` wrote.

    Returns:
        Definition of each runtime parameter: `parameterType`, `defaultValue`, `description`.

    Raises:
        UserError: The file does not exist, or is not a package.
    """
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    if package.suffix not in _SUFFIXES:
        raise UserError(f"{package}: expected the .yaml file that `make compile` wrote.")
    try:
        spec, *platforms = yaml.safe_load_all(package.read_text(encoding="utf-8"))
        form: dict[str, dict[str, Any]] = spec["root"]["inputDefinitions"]["parameters"]
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


def package_name(package: Path) -> str:
    """Name of a package that `read_form` could read: `trial-` or `valid-` and the study's."""
    spec = next(iter(yaml.safe_load_all(package.read_text(encoding="utf-8"))))
    return str(spec["pipelineInfo"]["name"])


def form_values(
    form: Mapping[str, Mapping[str, Any]], given: Mapping[str, object]
) -> dict[str, object]:
    """Values for the run's form in the types that it declares.

    Args:
        form: The fields, from `read_form`.
        given: Values from the user, as text or as parsed YAML.

    Raises:
        UserError: A field is unknown, or a value is not of its type.
    """
    values: dict[str, object] = {}
    for name, value in given.items():
        if name not in form:
            raise UserError(
                f"The package has no parameter {name}; it has: {', '.join(sorted(form))}."
            )
        kind = form[name]["parameterType"]
        if kind == "NUMBER_INTEGER":
            if isinstance(value, bool) or not _WHOLE_NUMBER.fullmatch(str(value)):
                raise UserError(f"Parameter {name}: expected a whole number, found {value!r}.")
            values[name] = int(str(value))
        elif isinstance(value, str):
            values[name] = value
        else:
            # Parsed as YAML, 0012 would be 10 and an empty line None.
            raise UserError(
                f"Parameter {name}: expected text, found {value!r}: put it in quotes, or leave the "
                "line out."
            )
    return values


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
