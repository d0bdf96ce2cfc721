"""Where the newest event about something stands in the public log."""

from uuid import uuid4

import pytest
from tests.domain.evidence.test_log import follow, write

from huika.domain.evidence import queries
from huika.kit import events


@pytest.mark.django_db(transaction=True)
def test_a_leaf_is_named_at_once_and_published_with_the_next_checkpoint() -> None:
    assert queries.newest_leaf([uuid4()]) is None
    first, second, _ = write(3)
    (place,) = (e.place for e in events.about([second]))
    leaf = queries.newest_leaf([first, second])
    assert leaf is not None and (leaf.index, leaf.published) == (place, False)
    follow()
    leaf = queries.newest_leaf([second])
    assert leaf is not None and (leaf.index, leaf.published) == (place, True)
