"""Two builds of an image are compared by all that their files are but for their time."""

from __future__ import annotations

import io
import tarfile

import pytest

from benchmarks.image_builds import different, main, read_entries


def archive(
    content: bytes = b"code", time: int = 0, mode: int = 0o644, user: int = 0
) -> io.BytesIO:
    """A file and a link to it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        file = tarfile.TarInfo("app/run.py")
        file.size, file.mtime, file.mode, file.uid = len(content), time, mode, user
        tar.addfile(file, io.BytesIO(content))
        link = tarfile.TarInfo("app/main.py")
        link.type, link.linkname = tarfile.SYMTYPE, "run.py"
        tar.addfile(link)
    made.seek(0)
    return made


def test_the_time_of_a_file_does_not_count() -> None:
    one, other = read_entries(archive(time=1)), read_entries(archive(time=2))

    assert set(one) == {"app/run.py", "app/main.py"}
    assert different(one, other) == []


@pytest.mark.parametrize(
    "changed",
    [{"content": b"cod3"}, {"mode": 0o755}, {"user": 1000}],
    ids=lambda it: next(iter(it)),
)
def test_all_else_of_a_file_counts(changed: dict[str, int]) -> None:
    other = archive(**changed)  # type: ignore[arg-type]

    assert different(read_entries(archive()), read_entries(other)) == ["app/run.py"]


def test_a_file_of_one_build_alone_counts() -> None:
    one = read_entries(archive())

    assert different(one, {"app/main.py": one["app/main.py"]}) == ["app/run.py"]


def test_an_image_that_is_not_there_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert main(["trial:none", "trial:two", "--program", "false"]) == 2
    assert "trial:none: false made no container of it" in caplog.text
