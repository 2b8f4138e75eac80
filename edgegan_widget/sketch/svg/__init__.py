"""SVG: files of any program as strokes, and drawings as SVG."""
