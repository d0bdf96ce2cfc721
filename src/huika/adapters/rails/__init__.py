"""Ways of paying a person."""
