from collections.abc import Iterator

import pytest

from orderloom.parts import Parts, running_parts


@pytest.fixture(scope="session")
def parts() -> Iterator[Parts]:
    with running_parts() as parts:
        yield parts
