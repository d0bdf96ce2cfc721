"""huika 回卡: buying back shopping cards at the seller's door, provably."""
