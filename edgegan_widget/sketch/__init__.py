"""Strokes <-> pixels: drawings made from pictures as people draw them."""
