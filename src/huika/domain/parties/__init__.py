"""Who takes part: sellers, recyclers, couriers, desk staff, regulators; sessions, codes, consents, payees, aliases.

Promises: the seller is real-named to the platform and a pseudonym to everybody else; a code serves one purpose in one
session; a payee bears the verified name. Never: hands a phone, a name or an account number to another capability
except through the query made for that one use.
"""
