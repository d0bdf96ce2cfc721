import time
import pytest
from huika.sim import story
from huika.sim.story import World
from tests.faces.api import helpers as h
pytestmark = pytest.mark.stack

@pytest.mark.parametrize("n",[1,2])
def test_x(platform: World, n):
    t=time.time(); p=lambda w: print(w, round(time.time()-t,2))
    specs=[h.brought(platform), h.brought(platform,"china-mobile",300_00), h.brought(platform,"walmart",1000_00,"physical")]
    p("brought")
    s=h.enrol(platform); p("enrol")
    o, c = h.visited(platform, s, specs); p("visited")
    for n, sp in enumerate(specs): h.sell(platform, c, o, n, sp)
    p("sold")
    print(story.settled(s, o["id"])["state"]); p("settled")
    h.nothing_held(o); p('held')
    h.all_is_well(platform); p("well")
