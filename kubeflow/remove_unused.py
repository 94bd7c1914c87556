"""Removes from an environment what no task uses, by a list: `remove_unused.py LIST`.

A line of the list is `distribution NAME`, `files PATTERN` or `symbols PATTERN`; patterns are those
of `Path.glob`, from `site-packages`. An entry that matches nothing is an error, so that the list
stays true when the lock changes. `symbols` drops what only a debugger reads of libraries.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

KINDS = ("distribution", "files", "symbols")


def entries(text: str) -> list[tuple[str, str]]:
    r"""Kind and name or pattern of each line.

    Args:
        text: The list; `#` starts a comment.

    Raises:
        SystemExit: A line is something else.

    Examples:
        >>> entries("# headers\nfiles tensorflow/include\n")
        [('files', 'tensorflow/include')]
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] not in KINDS:
            raise SystemExit(f"line {number}: expected one of {', '.join(KINDS)}, and a word")
        found.append((words[0], words[1]))
    return found


def remove(kind: str, what: str, packages: Path) -> None:
    """Removes what an entry names.

    Args:
        kind: One of `KINDS`.
        what: Name of a distribution, or a pattern.
        packages: The folder `site-packages`.

    Raises:
        SystemExit: Nothing is there.
    """
    if kind == "distribution":
        _remove_distribution(what, packages)
        return
    found = sorted(packages.glob(what))
    if not found:
        raise SystemExit(f"{kind} {what}: nothing in {packages} matches")
    for path in found:
        if kind == "symbols":
            subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


def _remove_distribution(name: str, packages: Path) -> None:
    try:
        files = importlib.metadata.distribution(name).files or []
    except importlib.metadata.PackageNotFoundError as error:
        raise SystemExit(f"distribution {name}: not installed") from error
    for file in files:
        path = Path(packages, file)
        path.unlink(missing_ok=True)
        # What its folders hold of other distributions stays.
        for folder in path.parents:
            if folder == packages or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


if __name__ == "__main__":
    site_packages = Path(sysconfig.get_paths()["purelib"])
    for entry in entries(Path(sys.argv[1]).read_text("utf-8")):
        remove(*entry, site_packages)
