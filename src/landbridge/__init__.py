"""Landbridge: find, prove and clear across borders, nobody giving up their own systems."""

__version__ = "0.1.0"
