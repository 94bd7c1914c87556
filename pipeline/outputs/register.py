"""The register itself, and the files below a root by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.outputs.answers import MLFLOW, PREDICTIONS, SERVICE, STORE, TERMINAL
from pipeline.outputs.artifacts import ARTIFACTS
from pipeline.outputs.elsewhere import CHOSEN, ELSEWHERE, KUBEFLOW, OBSERVED, WEBHOOK
from pipeline.outputs.output import FOLDERS, Audience, Output, Within
from pipeline.outputs.registries import REGISTRY
from pipeline.outputs.runs import BESIDE, RECORDS
from pipeline.permissions import is_unblinded

REGISTER: tuple[Output, ...] = (
    *ARTIFACTS,
    *RECORDS,
    *BESIDE,
    *REGISTRY,
    *STORE,
    *PREDICTIONS,
    *SERVICE,
    *WEBHOOK,
    *MLFLOW,
    *TERMINAL,
    *CHOSEN,
    *ELSEWHERE,
    *KUBEFLOW,
    *OBSERVED,
)
"""Everything that the project writes or answers."""

_NAMES = {output.name: output for output in REGISTER}


def called(name: str) -> Output:
    """The output of a name.

    Raises:
        KeyError: There is none.
    """
    return _NAMES[name]


def outputs_within(within: Within) -> tuple[Output, ...]:
    """The outputs of one place.

    Examples:
        >>> [output.name for output in outputs_within(Within.MLFLOW)]
        ['runs in MLflow', 'versions in MLflow']
    """
    return tuple(output for output in REGISTER if output.within is within)


def outputs_of(within: Within, place: str) -> tuple[Output, ...]:
    """The outputs that a place is one of: one, or none where it is not in the register.

    Examples:
        >>> [output.name for output in outputs_of(Within.SERVICE, "GET /card")]
        ['card of the champion']
    """
    return tuple(output for output in outputs_within(within) if output.holds(place))


def written(root: Path, registry: Path | None = None) -> Iterator[tuple[Output, Path]]:
    """Every file below a root that is in the register, with what it is.

    In a root of unblinded runs all outputs are those of its named readers.

    Args:
        root: Root of runs.
        registry: Root of the registry; `registry` below the root if not given. Its part of
            subjects is beside it.
    """
    unblinded = is_unblinded(root)
    for path, found in _placed(root, registry):
        for output in found:
            yield (replace(output, audience=Audience.UNBLINDED) if unblinded else output), path


def unregistered(root: Path, registry: Path | None = None) -> Iterator[Path]:
    """Every file below a root that is not in the register."""
    return (path for path, found in _placed(root, registry) if not found)


def people_facing(root: Path, registry: Path | None = None) -> Iterator[tuple[Output, Path]]:
    """Every file below a root from which people must learn nothing of a single subject.

    Args:
        root: Root of runs.
        registry: As for `written`.
    """
    return ((output, path) for output, path in written(root, registry) if output.is_people_facing)


def folders(root: Path, registry: Path | None = None) -> Mapping[Within, Path]:
    """The folders of a root in which outputs are files."""
    registry = registry or root / "registry"
    subjects = registry.with_name(f"{registry.name}-subjects")
    return dict(zip(FOLDERS, (root, registry, subjects), strict=True))


def _placed(root: Path, registry: Path | None) -> Iterator[tuple[Path, tuple[Output, ...]]]:
    found = folders(root, registry)
    own = [found[Within.REGISTRY], found[Within.SUBJECTS]]
    for within, folder in found.items():
        nested = [path for path in own if path != folder]
        for path in _files(folder):
            if within is not Within.ROOT or not any(path.is_relative_to(one) for one in nested):
                yield path, outputs_of(within, path.relative_to(folder).as_posix())


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
