"""What people and programs touch. Thin: parse, read, one action, render."""
