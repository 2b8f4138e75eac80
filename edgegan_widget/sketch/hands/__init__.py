"""What a hand does to lines, and how a person would draw what is in a photo."""
