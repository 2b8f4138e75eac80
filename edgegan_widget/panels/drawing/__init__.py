"""The drawing application: pad, result, what is saved of them."""
