"""Protocols spoken on top of zbuf, a folder each; none knows another.

`zbuf.protocols.http`: HTTP/1.1 for static files (needs the extra `zbuf[http]`).
"""
