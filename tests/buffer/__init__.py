"""Tests of the buffer room that name one class: composites, dumps, growth of a sole and of a shared block."""
