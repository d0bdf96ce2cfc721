"""What the house stands on: money, time, ids, events, jobs, locks. It knows nothing of cards."""
