"""One folder a recipe: what it declares, and how it moves weights; :mod:`edgegan_widget.training.kinds` finds them."""
