"""One file a recipe: its networks' settings, its losses and the updates of one step."""
