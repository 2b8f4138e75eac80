"""What all rooms stand on; nothing here loads torch or widgets when imported."""
