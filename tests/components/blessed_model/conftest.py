"""A model that is saved once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from tests.components.blessed_model.test_executor import TwoTasks


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    model = TwoTasks(folder)
    tf.saved_model.save(
        model,
        str(folder / "Format-Serving"),
        signatures={"serving_default": model.serve, "columns": model.columns},
    )
    return folder
