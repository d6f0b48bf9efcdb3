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

from sandbox.dialect import DIALECTS
from sandbox.phase2 import SUBSCRIPTION, Phase2, client, create_tables
from sandbox.pubsub import PubSub
from sandbox.pubsub import serve as serve_pubsub
from sandbox.service import HANG_SECONDS, Service, http_server
from sandbox.service_log import TABLE, ServiceLog, appender, create_log
from sandbox.world import Rates, World


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the world's options to ``parser``."""
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", type=date.fromisoformat, default=date(2026, 1, 14), help="ET date of the game day")
    parser.add_argument("--games", type=int, default=12, help="games on that day, 1 to 15")
    parser.add_argument("--faults", type=float, default=Rates().fault, help="share of calls that fail at first, 0 to 1")
    parser.add_argument("--lost", type=float, default=Rates().lost, help="share of messages that are lost, 0 to 1")
    parser.add_argument("--late", type=float, default=Rates().late, help="share of log rows that come late, 0 to 1")
    parser.add_argument("--hang", type=float, default=HANG_SECONDS, help="seconds that a call with a timeout hangs")
    parser.add_argument("--dialect", choices=DIALECTS, default="real", help="dialect of the scraper service")
    parser.add_argument("--log-table", help=f"the service's own log, created if missing (default: {TABLE})")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; change it only inside a container")
    parser.add_argument("--port", type=int, default=8090, help="port of the scraper service")
    parser.add_argument("--pubsub-port", type=int, default=8085)
    parser.add_argument("--project", default="local")
    parser.add_argument("--files", type=Path, required=True, help="folder that stands in for Cloud Storage")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C, and return an exit code. Needs ``BIGQUERY_EMULATOR_HOST``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if "BIGQUERY_EMULATOR_HOST" not in os.environ:
        print(
            "sandbox: BIGQUERY_EMULATOR_HOST is not set. Start the emulator first, as make demo does", file=sys.stderr
        )
        return 2
    dialect = DIALECTS[options.dialect]
    world = World(options.seed, options.day, options.games, Rates(options.faults, options.lost, options.late))
    pubsub = PubSub()
    grpc_server = serve_pubsub(pubsub, options.pubsub_port, options.host)
    os.environ["PUBSUB_EMULATOR_HOST"] = f"127.0.0.1:{options.pubsub_port}"
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    # Both topics exist, as in the real project. Phase 2 subscribes to the one that the service uses.
    for name in sorted({each.topic for each in DIALECTS.values()}):
        try:
            publisher.create_topic(request={"name": publisher.topic_path(options.project, name)})
        except AlreadyExists:
            logging.info("Topic %s already exists", name)
    subscription = subscriber.subscription_path(options.project, SUBSCRIPTION)
    topic = publisher.topic_path(options.project, dialect.topic)
    subscriber.create_subscription(request={"name": subscription, "topic": topic})
    bq = client(options.project)
    create_tables(bq)
    if options.log_table:
        create_log(bq, options.log_table)
    log = ServiceLog(appender(bq, options.log_table or TABLE)) if dialect.logs else None
    phase2 = Phase2(options.project, options.files, world.clock, dialect)
    phase2.start()
    if log is not None:
        threading.Thread(target=log.run, args=[phase2.stopping], name="service-log", daemon=True).start()
    service = Service(world, options.files, options.project, pubsub, phase2, dialect, log, options.hang)
    server = http_server(service, options.port, options.host)

    def stop(*_: object) -> None:
        phase2.stopping.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    values = options.dialect, options.seed, options.day, options.games
    logging.info("The sandbox world listens: dialect %s, seed %d, %s, %d games", *values)
    server.serve_forever()
    service.settle()
    grpc_server.stop(grace=None)
    return 0
