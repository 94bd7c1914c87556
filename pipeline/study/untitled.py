"""The features of a study file without what only people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def untitled_feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    """A feature as it was before titles were given: they decide nothing that is computed.

    Examples:
        >>> untitled_feature({"kind": "number", "title": "Chemistry", "each": {"ALB": "Albumin"}})
        {'kind': 'number', 'each': ['ALB']}
    """
    content = {key: value for key, value in feature.items() if key != "title"}
    if "each" in content:
        # In the order of the file, which is that of the features.
        content["each"] = list(content["each"])
    return content


def untitled_features(features: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The section `features`, likewise."""
    return {name: untitled_feature(feature) for name, feature in features.items()}
