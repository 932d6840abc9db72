"""What of Exhibit is supported: each feature in a series of its own, made, checked, or refused."""
