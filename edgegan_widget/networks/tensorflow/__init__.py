"""Models of the original TensorFlow program: its file format, its names and layouts turned into ours."""
