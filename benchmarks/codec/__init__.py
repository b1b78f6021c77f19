"""Codecs without a socket: what framing costs, and how often it copies."""
