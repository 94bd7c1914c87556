"""Child processes that read files by C code: where a damaged file crashes it, only they end."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from pipeline.storage import is_remote

_COPY_BLOCK = 2**22


@contextlib.contextmanager
def local_path(path: str, handle: BinaryIO) -> Iterator[str]:
    """A file as C code can open it.

    Args:
        path: Its path or address.
        handle: A handle on it at its start.

    Yields:
        The path itself, or that of a copy which only its owner reads and which is removed.
    """
    if not is_remote(path):
        yield str(Path(path).absolute())
        return
    with tempfile.NamedTemporaryFile(suffix=Path(path).suffix) as copy:
        shutil.copyfileobj(handle, copy, _COPY_BLOCK)
        copy.flush()
        yield copy.name


class ChildProcess:
    """A script in a process of its own, started once and asked by one thread at a time.

    A request is a line of JSON on its standard input; the answer is a line of JSON on its standard
    output, followed by as many bytes as the line says under `bytes`.

    Args:
        script: The script; it imports nothing of the project, so that it starts quickly.

    Attributes:
        owner: The process that asks.
    """

    def __init__(self, script: Path) -> None:
        self.owner = os.getpid()
        self._script = script
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process; None while there is none."""
        return self._process.pid if self._process else None

    def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Sends a request and waits for its answer.

        Raises:
            EOFError: The process ended before it had answered.
        """
        with self._lock:
            process = self._process or self._start()
            stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
            try:
                stdin.write(json.dumps(request).encode() + b"\n")
                stdin.flush()
                line = stdout.readline()
                answer = json.loads(line) if line.endswith(b"\n") else {"bytes": -1}
                content = stdout.read(max(answer["bytes"], 0))
            except OSError:
                answer, content = {"bytes": -1}, b""
            if len(content) != answer["bytes"]:
                self.stop()
                raise EOFError
            return answer, content

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: the folder of the script holds modules that have the names of others.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(self._script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._process

    def stop(self) -> None:
        """Ends the process, if there is one; the next request starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


_children: dict[Path, ChildProcess] = {}
_making = threading.Lock()


def child_process(script: Path) -> ChildProcess:
    """The process of a script; one for each process that asks."""
    with _making:
        child = _children.get(script)
        if child is None or child.owner != os.getpid():
            # A forked worker must not answer for its parent.
            child = _children[script] = ChildProcess(script)
        return child


@atexit.register
def _stop_all() -> None:
    for child in _children.values():
        if child.owner == os.getpid():
            child.stop()
