"""The rivals: what a good Python programmer writes without zbuf, and the same job done with zbuf.

Each program runs as `python -m benchmarks.against.<program>` in a process of its own."""
