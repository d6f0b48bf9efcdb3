"""The sandbox's scraper service without a process of its own."""

import json
import time
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from google.api_core.exceptions import GoogleAPIError

from sandbox.dialect import DIALECTS
from sandbox.phase2 import Phase2
from sandbox.pubsub import PubSub, serve
from sandbox.scrapers import SCRAPERS
from sandbox.service import Service
from sandbox.service_log import ServiceLog
from sandbox.world import Rates, World
from support.ports import free_ports
from support.standins import PROJECT

DAY = date(2026, 1, 14)
ET = ZoneInfo("America/New_York")
NEXT_MORNING = datetime(2026, 1, 15, 4, tzinfo=ET)


class SandboxService:
    """The sandbox's scraper service in this process, with the real Pub/Sub protocol and its log's rows in a list.

    Its clock shows the morning after ``DAY``, when everything about that day is published.
    """

    def __init__(self, folder, dialect, rates=None):
        pubsub, port = PubSub(), free_ports(1)[0]
        self.server = serve(pubsub, port)
        self.rows, self.world = [], World(rates=rates or Rates(0, 0, 0))
        self.broken = False
        speaks = DIALECTS[dialect]
        # The clients read the environment when they are made. Later tests must not find it changed.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
            patch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
            phase2 = Phase2(PROJECT, folder, self.world.clock, speaks)
            log = ServiceLog(self._append) if speaks.logs else None
            self.service = Service(self.world, folder, PROJECT, pubsub, phase2, speaks, log)
        self.service.publisher.create_topic(request={"name": self.service.topic})
        self.subscription = phase2.subscriber.subscription_path(PROJECT, "a-reader")
        self.subscriber = phase2.subscriber
        self.subscriber.create_subscription(request={"name": self.subscription, "topic": self.service.topic})
        self.world.clock.set(NEXT_MORNING)

    def _append(self, rows):
        if self.broken:
            raise GoogleAPIError("away")
        self.rows += rows

    def call(self, name, **parameters):
        request = {"scraper": name, "workflow": "w", "source": "CONTROLLER", **(parameters or self.parameters(name))}
        status, body, _ = self.service.scrape(request)
        if self.service.log is not None:
            self.service.log.flush(time.monotonic())  # the log's thread does this in the sandbox
        return status, body

    def parameters(self, name):
        game = self.world.slate(DAY)[0]
        event = DIALECTS["plain"].judge(None, SCRAPERS["oddsa_events"].find(self.world, {"game_date": f"{DAY}"}))
        return {
            "game_id": game.game_id,
            "game_code": game.code,
            "gamedate": f"{DAY:%Y%m%d}",
            "game_date": f"{DAY}",
            "date": f"{DAY}",
            "season": "2025",
            "teamAbbr": "BOS",
            "team_abbr": "bos",
            "event_id": event.summary["event_ids"][0],
            "hour": "5",
            "period": "PM",
        }

    def message(self):
        reply = self.subscriber.pull(request={"subscription": self.subscription, "max_messages": 10})
        for received in reply.received_messages:
            ids = {"subscription": self.subscription, "ack_ids": [received.ack_id]}
            self.subscriber.acknowledge(request=ids)
        return [json.loads(received.message.data) for received in reply.received_messages]

    def close(self):
        self.server.stop(None)
