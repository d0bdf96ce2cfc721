import pytest
from tests.faces.api import cast
@pytest.mark.django_db
def test_x():
    h = cast.build()
    print({k:(o.state,[ (c.kind,c.state) for c in o.cards], len(o.lots)) for k,o in h.orders.items()})
