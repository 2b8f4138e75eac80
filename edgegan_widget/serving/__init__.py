"""Models for many people: Ray Serve behind the engine's seam, and nothing of it where nobody serves."""
