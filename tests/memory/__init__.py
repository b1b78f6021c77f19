"""Tests of the memory room as its users see it: pools, lifetime of blocks, threads."""
