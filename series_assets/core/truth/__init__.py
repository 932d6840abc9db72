"""The history that a correct pipeline ends up with: ``truth(feed) = fold(deliveries)``."""
