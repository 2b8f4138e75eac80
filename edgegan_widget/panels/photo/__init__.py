"""Photos: things are chosen in them and taken away, others are drawn in their place."""
