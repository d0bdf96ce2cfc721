"""huika_vault: the one process that sees card numbers and PINs.

It opens what was sealed to its HPKE key, keeps it wrapped, uses it at the issuer and releases it to an
enrolled key, each time against a signed capability of the platform and at most once. It imports nothing of
the platform; HTTP and the capability format are all they share. It never hands out or logs a plain PIN.
"""
