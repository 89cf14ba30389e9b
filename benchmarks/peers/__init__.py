"""The peers, a file each. None imports our apps; each has a database or a queue of its own."""
