"""The dashboard: what serves it, whom it lets in, and what a page shows."""
