"""Promises held against many random trials: ``python3 start.py soak [MINUTES]``; a short form of each is a test."""
