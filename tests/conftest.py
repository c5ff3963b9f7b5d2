"""What all tests share: one thread, so that parallel runs do not fight over cores."""

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
