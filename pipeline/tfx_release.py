"""What differs between the TFX releases that the locks hold (`requirements/tfx116`, `tfx121`).

Everything else is written for both. When a release goes, what only it needs goes here.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def installed_lock() -> str:
    """Folder of `requirements/` whose lock is installed: that of the TFX release.

    Returns:
        Such as `tfx116`; empty where TFX is not installed.
    """
    try:
        release = importlib.metadata.version("tfx")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return "tfx" + "".join(release.split(".")[:2])


def close_pyarrow_hole() -> None:
    """Closes CVE-2023-47248, which pyarrow has before 14.0.1: TFX 1.16 requires pyarrow 10.

    Raises:
        ModuleNotFoundError: Such a pyarrow is installed without pyarrow-hotfix.
    """
    if _pyarrow() < (14, 0, 1):
        # Importing it is what closes the hole.
        importlib.import_module("pyarrow_hotfix")


def can_crash_on_parquet() -> bool:
    """Whether pyarrow is so old that damaged Parquet files can crash it: TFX 1.16 requires 10.

    Of small files with some changed bytes pyarrow 10 crashes on one in five hundred.
    """
    return _pyarrow() < (14, 0, 0)


def concat_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Concatenates tables of which some lack columns: null there.

    pyarrow names the option `promote` before 14 and `promote_options` since.
    """
    import pyarrow as pa

    option: dict[str, Any] = (
        {"promote": True} if _pyarrow() < (14, 0, 0) else {"promote_options": "default"}
    )
    return pa.concat_tables(tables, **option)


def _pyarrow() -> tuple[int, ...]:
    numbers = re.findall(r"\d+", importlib.metadata.version("pyarrow"))[:3]
    return tuple(map(int, numbers))
