"""What is asked for: of which model, with which class, seed and style; and how it is answered."""
