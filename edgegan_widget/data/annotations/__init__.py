"""Annotations in COCO's format as programs really write them: the file, its numbers, and the pictures that it names."""
