"""A Pub/Sub endpoint with the real gRPC protocol, limited to publishing, pulling and acknowledging."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

LEASE_SECONDS = 60


@dataclass
class _Subscription:
    topic: str
    waiting: deque[types.PubsubMessage] = field(default_factory=deque)
    leased: dict[str, tuple[float, types.PubsubMessage]] = field(default_factory=dict)


class PubSub:
    """Topics and subscriptions in memory. A message stays leased until it is acknowledged or its lease ends."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._topics: set[str] = set()
        self._subscriptions: dict[str, _Subscription] = {}
        self._ids = count(1)

    def backlog(self, subscription: str) -> int:
        """Return the number of messages of a subscription that wait or are leased."""
        with self._lock:
            found = self._subscriptions.get(subscription)
            return 0 if found is None else len(found.waiting) + len(found.leased)

    def create_topic(self, request: types.Topic, context: grpc.ServicerContext) -> types.Topic:
        """Handle CreateTopic."""
        with self._lock:
            if request.name in self._topics:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, f"topic {request.name} exists")
            self._topics.add(request.name)
        return request

    def delete_topic(self, request: types.DeleteTopicRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Handle DeleteTopic. Later messages to the topic are refused."""
        with self._lock:
            self._topics.discard(request.topic)
        return empty_pb2.Empty()

    def create_subscription(self, request: types.Subscription, context: grpc.ServicerContext) -> types.Subscription:
        """Handle CreateSubscription."""
        with self._lock:
            if request.topic not in self._topics:
                context.abort(grpc.StatusCode.NOT_FOUND, f"topic {request.topic} does not exist")
            self._subscriptions.setdefault(request.name, _Subscription(request.topic))
        return request

    def publish(self, request: types.PublishRequest, context: grpc.ServicerContext) -> types.PublishResponse:
        """Handle Publish."""
        with self._lock:
            if request.topic not in self._topics:
                context.abort(grpc.StatusCode.NOT_FOUND, f"topic {request.topic} does not exist")
            ids = []
            for message in request.messages:
                message.message_id = str(next(self._ids))
                ids.append(message.message_id)
                for subscription in self._subscriptions.values():
                    if subscription.topic == request.topic:
                        subscription.waiting.append(message)
            self._lock.notify_all()
        return types.PublishResponse(message_ids=ids)

    def pull(self, request: types.PullRequest, context: grpc.ServicerContext) -> types.PullResponse:
        """Handle Pull. It waits up to half a second for a first message."""
        with self._lock:
            subscription = self._subscriptions.get(request.subscription)
            if subscription is None:
                context.abort(grpc.StatusCode.NOT_FOUND, f"subscription {request.subscription} does not exist")
            assert subscription is not None
            now = time.monotonic()
            for ack_id, (until, message) in list(subscription.leased.items()):
                if until < now:
                    del subscription.leased[ack_id]
                    subscription.waiting.append(message)
            if not subscription.waiting:
                self._lock.wait(0.5)
            received: list[types.ReceivedMessage] = []
            while subscription.waiting and len(received) < request.max_messages:
                message = subscription.waiting.popleft()
                ack_id = f"{message.message_id}-{next(self._ids)}"
                subscription.leased[ack_id] = (time.monotonic() + LEASE_SECONDS, message)
                received.append(types.ReceivedMessage(ack_id=ack_id, message=message))
        return types.PullResponse(received_messages=received)

    def modify_ack_deadline(
        self, request: types.ModifyAckDeadlineRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Handle ModifyAckDeadline. With 0 seconds the messages wait again."""
        with self._lock:
            subscription = self._subscriptions.get(request.subscription)
            for ack_id in request.ack_ids:
                if subscription is not None and ack_id in subscription.leased:
                    message = subscription.leased.pop(ack_id)[1]
                    if request.ack_deadline_seconds:
                        subscription.leased[ack_id] = (time.monotonic() + request.ack_deadline_seconds, message)
                    else:
                        subscription.waiting.append(message)
            self._lock.notify_all()
        return empty_pb2.Empty()

    def acknowledge(self, request: types.AcknowledgeRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Handle Acknowledge."""
        with self._lock:
            subscription = self._subscriptions.get(request.subscription)
            for ack_id in request.ack_ids:
                if subscription is not None:
                    subscription.leased.pop(ack_id, None)
        return empty_pb2.Empty()


def serve(pubsub: PubSub, port: int, host: str = "127.0.0.1") -> grpc.Server:
    """Start the endpoint on ``host``:``port`` and return its server. Raises RuntimeError if the port is in use."""
    server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    publisher = {
        "CreateTopic": _method(pubsub.create_topic, types.Topic),
        "DeleteTopic": _method(pubsub.delete_topic, types.DeleteTopicRequest),
        "Publish": _method(pubsub.publish, types.PublishRequest),
    }
    subscriber = {
        "CreateSubscription": _method(pubsub.create_subscription, types.Subscription),
        "Pull": _method(pubsub.pull, types.PullRequest),
        "Acknowledge": _method(pubsub.acknowledge, types.AcknowledgeRequest),
        "ModifyAckDeadline": _method(pubsub.modify_ack_deadline, types.ModifyAckDeadlineRequest),
    }
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", publisher),
            grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", subscriber),
        )
    )
    server.add_insecure_port(f"{host}:{port}")
    server.start()
    return server


def _method(handler: Callable[[Any, grpc.ServicerContext], Any], request_type: Any) -> grpc.RpcMethodHandler:
    def to_bytes(reply: Any) -> bytes:
        return reply.SerializeToString() if isinstance(reply, empty_pb2.Empty) else type(reply).serialize(reply)

    return grpc.unary_unary_rpc_method_handler(
        handler, request_deserializer=request_type.deserialize, response_serializer=to_bytes
    )
