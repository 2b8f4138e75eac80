"""Panels that train and fine-tune, and the view of a run."""
