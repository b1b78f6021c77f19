"""Arguments that run code: they release, clear, grow or write the buffer in the middle of a call."""
