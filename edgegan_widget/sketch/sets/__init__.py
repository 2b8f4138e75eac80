"""People's drawings in folders, as they are published and as anybody lays them out."""
