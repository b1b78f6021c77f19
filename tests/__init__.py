"""The tests of zbuf: they mirror the source, a folder for each room."""
