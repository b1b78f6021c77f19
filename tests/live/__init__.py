"""Tests against the real kernel and real clients."""
