"""A run folder: :mod:`record` writes it while training, :mod:`jobs` starts, follows and stops runs from outside."""
