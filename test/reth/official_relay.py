"""A server of the official exex.RemoteExEx in Python: what it receives from one it reads, and writes anew by its own generated code.

    python official_relay.py UPSTREAM_HOST:PORT PORT
"""

import concurrent.futures
import pathlib
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "harness" / "example"))
from consumer import load_contract

messages, services = load_contract()
unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Relay(services.RemoteExExServicer):
    def Subscribe(self, request, context):
        channel = grpc.insecure_channel(sys.argv[1], options=unlimited)
        upstream = services.RemoteExExStub(channel).Subscribe(request)
        context.add_callback(upstream.cancel)
        context.send_initial_metadata(())
        for notification in upstream:
            # Through its own objects and back: what this language's code does not know would be lost here.
            yield messages.ExExNotification.FromString(notification.SerializeToString())


server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=unlimited)
services.add_RemoteExExServicer_to_server(Relay(), server)
server.add_insecure_port(f"127.0.0.1:{sys.argv[2]}")
server.start()
print("serving", flush=True)
server.wait_for_termination()
