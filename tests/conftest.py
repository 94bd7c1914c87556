"""What the whole test suite shares."""

from __future__ import annotations

import io
import os
import signal
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.shared_fixtures import SharedScheduling
from tests.slow_groups import GroupScheduling, start_of
from tests.whole_runs import SUBJECTS, Run, run_pipeline, split_study

pytest_plugins = ["tests.pipeline.store.fixtures"]

NO_SKIPS_VARIABLE = "TRIAL_TESTS_NEVER_SKIP"
"""Set where no test may be skipped, for example because the real trial data must be there."""

# Time is measured by benchmarks: on a busy machine any example may take long.
hypothesis.settings.register_profile("trial", deadline=None)
hypothesis.settings.load_profile("trial")

_REPOSITORY = Path(__file__).parents[1]
_CHROMIUM = Path("/usr/bin/chromium")
_BROWSER_MILLISECONDS = 180_000


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where only slow tests are run, those of the longest group come first."""
    if all(item.get_closest_marker("slow") for item in items):
        items.sort(key=lambda item: start_of(item.nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Any
) -> GroupScheduling | SharedScheduling | None:
    """What shares fixtures stays in one process: of `make test-slow` a group of tests."""
    schedulers: dict[str, type[GroupScheduling] | type[SharedScheduling]] = {
        "loadgroup": GroupScheduling,
        "loadfile": SharedScheduling,
    }
    scheduler = schedulers.get(config.getvalue("dist"))
    return scheduler(config, log) if scheduler else None


def pytest_keyboard_interrupt() -> None:
    """Lets fixtures stop their servers: xdist interrupts its processes again while they do."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all that tests need is there, as in CI, a skipped test has failed."""
    report = yield
    if report.skipped and os.environ.get(NO_SKIPS_VARIABLE) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{item.nodeid} was skipped although {NO_SKIPS_VARIABLE} is set: {reason}"
    return report


@dataclass(frozen=True)
class Visit:
    """What a browser saw of a file.

    Attributes:
        complaints: Messages on its console, errors of scripts included.
        requests: Addresses that the file asked for.
        overflow: How many pixels it is wider than the window.
        screenshot: The whole page, as PNG.
        page: Playwright's page, still open.
    """

    complaints: list[str]
    requests: list[str]
    overflow: int
    screenshot: bytes
    page: Any

    @property
    def colours(self) -> int:
        """How many different colours the screenshot has."""
        # Imported on use: most tests look at no picture.
        import numpy as np
        from PIL import Image

        pixels = np.array(Image.open(io.BytesIO(self.screenshot)).convert("RGBA"))
        # A pixel as one number: rows of bytes take a minute to sort on a long page.
        return len(np.unique(pixels.view(np.uint32)))


@pytest.fixture(scope="session")
def trial_data_dir() -> Path:
    """Folder of real trial data; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("TRIAL_DATA_DIR", _REPOSITORY / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("real trial data is absent; set TRIAL_DATA_DIR to its folder")
    return folder.resolve()


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the synthetic trial that report, card and notebooks show; nothing is added."""
    folder = tmp_path_factory.mktemp("finished")
    study = ("--study", str(split_study(folder / "study")))
    run = run_pipeline(folder / "runs", *study, "--subjects", str(SUBJECTS), "--steps", "150")
    assert run.code == 0, run.terminal + run.errors
    return run


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """Address of an S3-compatible store on this machine."""
    # Imported on use: most tests need no store.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(object_store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of an empty bucket in a store on this machine, which the environment leads to."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", object_store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a_user")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"trials-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def browse() -> Iterator[Callable[[Path, int], Visit]]:
    """Opens a file in Debian's chromium, in a window of a width in pixels."""
    if not _CHROMIUM.exists():
        pytest.fail(f"{_CHROMIUM} is missing: `make system` installs Debian's package chromium")
    # Imported on use: most tests need no browser.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(_CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )

        def visit(path: Path, width: int) -> Visit:
            page = browser.new_page(viewport={"width": width, "height": 900})
            # Playwright's own 30 s pass while other tests have both cores.
            page.set_default_timeout(_BROWSER_MILLISECONDS)
            complaints: list[str] = []
            requests: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: requests.append(request.url))
            page.goto(path.as_uri())
            return Visit(
                complaints=complaints,
                requests=[address for address in requests if address != path.as_uri()],
                overflow=page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                ),
                screenshot=page.screenshot(full_page=True),
                page=page,
            )

        yield visit
        browser.close()
