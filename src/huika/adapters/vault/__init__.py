"""The way to the vault process."""
