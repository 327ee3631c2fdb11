"""Tests on your own machine."""
