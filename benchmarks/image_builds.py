"""Compares two builds of an image file by file: equal but for the times of their files?

    make image IMAGE=trial:one && make image IMAGE=trial:two
    python -m benchmarks.image_builds trial:one trial:two

Each file's content, kind, mode, owner and target count; its time does not. The images are made
into containers that are never started, and their files are read as `podman export` (or another
program's export) gives them.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from pipeline.errors import UserError

logger = logging.getLogger(__name__)

_MOST_SHOWN = 40
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A file of an image, without its time.

    Attributes:
        kind: Type as tar has it.
        mode: Permissions.
        owner: Numbers of user and group.
        target: What a link leads to; empty for others.
        size: Bytes.
        digest: SHA-256 of the content; empty for what has none.
    """

    kind: bytes
    mode: int
    owner: tuple[int, int]
    target: str
    size: int
    digest: str


def read_entries(stream: IO[bytes]) -> dict[str, Entry]:
    """Reads a tar archive that can be read only once.

    Args:
        stream: The archive.

    Returns:
        Its files by path.
    """
    found = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for item in archive:
            content = archive.extractfile(item) if item.isreg() else None
            found[item.name] = Entry(
                kind=item.type,
                mode=item.mode,
                owner=(item.uid, item.gid),
                target=item.linkname,
                size=item.size,
                digest=_sha256(content) if content else "",
            )
    return found


def different(one: Mapping[str, Entry], other: Mapping[str, Entry]) -> list[str]:
    """Paths that only one image has or that differ, in order."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def export(program: str, image: str) -> dict[str, Entry]:
    """Files of an image.

    Args:
        program: `podman`, `docker` or the like.
        image: Name of the image.

    Raises:
        UserError: The program knows no such image.
    """
    made = subprocess.run([program, "create", image], capture_output=True, text=True, check=False)
    if made.returncode:
        raise UserError(f"{image}: {program} made no container of it: {made.stderr.strip()[-500:]}")
    container = made.stdout.strip()
    try:
        with subprocess.Popen([program, "export", container], stdout=subprocess.PIPE) as exporting:
            assert exporting.stdout is not None
            return read_entries(exporting.stdout)
    finally:
        subprocess.run([program, "rm", container], capture_output=True, check=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Compares two images.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if they are equal but for times, 1 if not, 2 for what the user has to change.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.image_builds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("one", help="name of an image")
    parser.add_argument("other", help="name of another build of it")
    parser.add_argument("--program", default="podman", help="podman or docker")
    arguments = parser.parse_args(argv)
    try:
        one, other = (export(arguments.program, name) for name in (arguments.one, arguments.other))
    except UserError as error:
        logger.error("%s", error)
        return 2
    names = different(one, other)
    size = sum(entry.size for entry in one.values())
    sys.stdout.write(
        f"{len(one):,} files, {size / 1e9:.2f} GB; {len(names):,} differ in more than their time\n"
    )
    for name in names[:_MOST_SHOWN]:
        sys.stdout.write(f"{name}: {_difference(one.get(name), other.get(name))}\n")
    return 1 if names else 0


def _difference(one: Entry | None, other: Entry | None) -> str:
    if one is None or other is None:
        return "only in the other" if one is None else "only in the first"
    return ", ".join(name for name, value in vars(one).items() if value != getattr(other, name))


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while part := content.read(_AT_ONCE):
        digest.update(part)
    return digest.hexdigest()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
