"""`python -m benchmarks.peers <name> <accounts>`: a peer in a process of its own."""

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()
    import_module(f"benchmarks.peers.{sys.argv[1]}").main(int(sys.argv[2]))
