"""`orderloom acls`: who may do what on the bus, for Kafka's own tool to put in force."""

import argparse
import shlex

from contracts import acls
from contracts.topics import ERP


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--system", action="append", metavar="NAME", help="the user name of a system outside")
    parser.add_argument("--topic-prefix", default="")


def run(arguments: argparse.Namespace) -> int:
    for grant in acls.grants(arguments.topic_prefix, systems=arguments.system or [ERP]):
        print(shlex.join(acls.arguments(grant)))
    return 0
