"""State machines: random operations against a plain model."""
