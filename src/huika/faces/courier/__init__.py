"""What a courier uses at the door."""
