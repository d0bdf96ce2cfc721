"""Escrow at the custodian, payouts by rail, couriers' cash.

Promises: nothing is paid twice, nothing is lost, unknown stays pending; the net of a card is fixed when it is accepted
and checked when it is credited. Never: decides what is owed; `trade` says so.
"""
