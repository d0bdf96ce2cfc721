"""What the desk uses: orders, queue, recyclers, couriers, telephone orders, staff accounts."""
