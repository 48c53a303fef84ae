import pytest

from tests.factories import World


@pytest.fixture
def world(db):
    """The small organisation of `tests.factories.World`."""
    return World()
