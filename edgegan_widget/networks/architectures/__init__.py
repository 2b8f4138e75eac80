"""Networks as they are trained: one file an architecture that a model folder names, and what judges their pictures."""
