"""Flows: bytes that travel through sockets between processes, each pinned to its own CPU."""
