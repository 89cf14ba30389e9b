"""One script a question; `make bench` runs them on a server that keeps its word (fsync on).

The package imports nothing: peers run in it without our settings.
"""
