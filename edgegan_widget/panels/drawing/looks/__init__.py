"""A look: what is drawn and all that its picture followed from; saved as files, and morphed into others."""
