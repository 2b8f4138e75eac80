"""Models that draw on a server: what crosses the wire, and the client; neither torch nor Ray."""
