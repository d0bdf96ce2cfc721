"""A city's day driven through the same doors as everybody's: demo data, sellers and couriers as API clients."""
