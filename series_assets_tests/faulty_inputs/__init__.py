"""A user's mistakes, each of which ends in one message (contract, section 9)."""
