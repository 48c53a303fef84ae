import pytest

from tests.reports.worlds import Year


@pytest.fixture
def khoi(world):
    """The year 2024 of the khối k1 (tests.reports.worlds)."""
    return Year(world)
