"""Purchase vouchers (收购凭证) for what sellers sold.

Promises: a voucher equals what was paid, to the fen. Never: invents the number of an invoice; only the tax bureau
numbers and signs those.
"""
