"""What stands behind a trade when something goes wrong.

Promises: says who guarantees what, up to how much, until when. Never: calls a self-funded guarantee (保障) insurance
(保险); only insurance institutions may sell that (internet-insurance rules art. 3).
"""
