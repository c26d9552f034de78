"""`orderloom demo`: real orders, through their whole life, by the public APIs alone."""

from orderloom.demo.command import add_arguments, main

__all__ = ["add_arguments", "main"]
