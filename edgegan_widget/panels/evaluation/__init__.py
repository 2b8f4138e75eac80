"""Panels that measure and compare models."""
