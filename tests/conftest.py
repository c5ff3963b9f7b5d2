"""What all tests share: one thread, so that parallel runs do not fight over cores; Ctrl-C as a terminal gives it."""

import gc
import os
import signal

import pytest
import torch
from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile("quick")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small tensors gain nothing from threads."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def ctrl_c() -> None:
    """A shell starts what it puts in the background with SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """One switch for all texts that tests are compared with."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the texts that tests are compared with")


def pytest_configure(config: pytest.Config) -> None:
    """A run that checks must not change what it checks against."""
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError("--update-golden is refused where CI is set: look at the differences first")


@pytest.fixture
def without_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """statsmodels collects garbage at every correction, 0.1 s each time."""
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
