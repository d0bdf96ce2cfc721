"""Today, orders, the queue of work items, search, exports."""
