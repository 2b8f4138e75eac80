"""Models -> numbers -> report."""
