"""python -m sandbox demo | cluster | up | serve"""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    """Run one of the four commands and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="play one game day and print what happened")
    commands.add_parser("cluster", help="play the day on the services of docker-compose.yaml, without containers")
    commands.add_parser("up", help="run the stack by the wall clock")
    serving = commands.add_parser("serve", help="run only the stand-ins, without Airflow")
    if "serve" in sys.argv[1:2]:
        from sandbox import serve

        serve.arguments(serving)
        return serve.run(parser.parse_args())
    from sandbox import demo

    command = parser.parse_args().command
    if command == "cluster":
        from sandbox.cluster import Cluster

        return demo.run(Cluster, ".cluster")
    return demo.run() if command == "demo" else demo.up()


if __name__ == "__main__":
    sys.exit(main())
