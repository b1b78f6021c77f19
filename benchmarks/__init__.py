"""Benchmarks: what zbuf costs beside the code it replaces, as ratios measured side by side in one run.

Owns    the harness (rounds, medians, tables) and one module per group.
Never   a verdict by exit code: times depend on the machine, only counts are gates, and those live in tests/counts.
Always  both sides of a ratio come from the same round of the same run."""
