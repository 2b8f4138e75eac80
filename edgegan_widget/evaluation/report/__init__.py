"""What is shown of an evaluation: pages, cards, votes."""
