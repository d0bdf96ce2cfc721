"""The desk's money: today, payouts, ledger, statements, reconciliation, floats, pay, closes, profit."""
