"""Template tags of the market face."""
