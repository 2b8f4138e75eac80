"""Real pictures that look like what is drawn: an index of a folder's pictures, and the nearest ones of a sketch."""
