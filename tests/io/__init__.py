"""Tests of the io room."""
