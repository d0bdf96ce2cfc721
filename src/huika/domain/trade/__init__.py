"""The order from quote to close; the only place that calls many capabilities.

Promises: what was quoted for a card is what is paid for it, to the fen, or the seller walks away free. A re-quote needs
a published reason and the seller's own consent. Never: moves money but through settlement, lets anybody leave before
the money is secured, sees a PIN.
"""
