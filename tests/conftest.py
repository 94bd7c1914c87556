"""What the whole test suite shares."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def trial_data_dir() -> Path:
    """Folder of real trial data; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("TRIAL_DATA_DIR", _REPOSITORY / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("real trial data is absent; set TRIAL_DATA_DIR to its folder")
    return folder.resolve()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a bucket in an S3-compatible store on this machine."""
    # Imported on use: most tests need no store.
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # Servers of one process share what they hold.
    name = f"trials-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    yield name
    server.stop()
