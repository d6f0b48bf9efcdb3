"""The world as one process: scraper service, Pub/Sub endpoint, Phase 2 processor."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from datetime import date
from pathlib import Path

from google.api_core.exceptions import AlreadyExists
from google.cloud import pubsub_v1

from sandbox.phase2 import SUBSCRIPTION, TOPIC, Phase2, client, create_tables
from sandbox.pubsub import PubSub
from sandbox.pubsub import serve as serve_pubsub
from sandbox.service import Service, http_server
from sandbox.world import Rates, World


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the world's options to ``parser``."""
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", type=date.fromisoformat, default=date(2026, 1, 14), help="ET date of the game day")
    parser.add_argument("--games", type=int, default=12, help="games on that day, 1 to 15")
    parser.add_argument("--faults", type=float, default=Rates().fault, help="share of calls that fail, 0 to 1")
    parser.add_argument("--lost", type=float, default=Rates().lost, help="share of messages that are lost, 0 to 1")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; another only inside a container")
    parser.add_argument("--port", type=int, default=8090, help="of the scraper service")
    parser.add_argument("--pubsub-port", type=int, default=8085)
    parser.add_argument("--project", default="local")
    parser.add_argument("--files", type=Path, required=True, help="folder that stands for Cloud Storage")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C. Needs ``BIGQUERY_EMULATOR_HOST``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if "BIGQUERY_EMULATOR_HOST" not in os.environ:
        print("sandbox: BIGQUERY_EMULATOR_HOST is not set; start the emulator first (make demo does)", file=sys.stderr)
        return 2
    world = World(options.seed, options.day, options.games, Rates(options.faults, options.lost))
    pubsub = PubSub()
    grpc_server = serve_pubsub(pubsub, options.pubsub_port, options.host)
    os.environ["PUBSUB_EMULATOR_HOST"] = f"127.0.0.1:{options.pubsub_port}"
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    topic = publisher.topic_path(options.project, TOPIC)
    try:
        publisher.create_topic(request={"name": topic})
    except AlreadyExists:
        logging.info("The topic exists already")
    subscription = subscriber.subscription_path(options.project, SUBSCRIPTION)
    subscriber.create_subscription(request={"name": subscription, "topic": topic})
    create_tables(client(options.project))
    phase2 = Phase2(options.project, options.files, world.clock)
    phase2.start()
    server = http_server(Service(world, options.files, options.project, pubsub, phase2), options.port, options.host)

    def stop(*_: object) -> None:
        phase2.stopping.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    logging.info("The world is up: seed %d, %s, %d games", options.seed, options.day, options.games)
    server.serve_forever()
    grpc_server.stop(grace=None)
    return 0
