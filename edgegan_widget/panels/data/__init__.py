"""The panel that makes data folders from photos, and leafs through them."""
