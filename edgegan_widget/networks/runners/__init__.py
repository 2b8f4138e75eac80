"""The ways a model's networks are run: one file a way."""
