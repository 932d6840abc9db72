"""Series of many kinds, each checked against the contract from the outside."""
