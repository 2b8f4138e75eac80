"""What is on screen: one file a panel, none imports another."""
