"""Stream and jobs in one process, in an order drawn from a seed: for tests, replays and small tools."""

import random

from huika.kit import followers, jobs, sequencer


def settle(seed: int = 0, *, rounds: int = 1000, horizon_seconds: float = 0) -> int:
    """Run followers, sequence events and run one job at a time until nothing is left to do; how many rounds it took."""
    source = random.Random(seed)  # noqa: S311  an order for replay, not a secret
    for done in range(rounds):
        names = sorted(followers.REGISTRY)
        source.shuffle(names)
        moved = sum(followers.run(followers.REGISTRY[name]) for name in names)
        # Right before the job: a job that waits for its event's place would wait here for its own thread.
        moved += sequencer.sequence()
        moved += jobs.run_pending(source.randrange(2**31), horizon_seconds=horizon_seconds, limit=1)
        if not moved:
            return done
    raise RuntimeError(f"{rounds} rounds did not settle the stream")
