"""The client's half of the vault: signed capabilities. The vault itself is a process of its own.

Promises: a capability is made only by an action that has recorded the event of the use; it names one order, one card,
one verb and the picture, and lives for minutes. Never: sees a PIN, in any form.
"""
