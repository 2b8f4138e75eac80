"""Data folder -> model: settings, data in memory, recipes, the loop, what a run writes down."""
