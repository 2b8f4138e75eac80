"""Which pictures are fit to train on, and who decides."""
