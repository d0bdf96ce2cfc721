"""Reading cards' pictures and judging what was read against what was declared.

Promises: every verdict has its reasons; doubt goes to a person; a number that differs is never called clear. Never:
keeps a PIN or a number in the clear, calls a card false.
"""
