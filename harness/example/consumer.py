"""A consumer of the official exex.RemoteExEx, in a language that is not the harness's: it keeps the canonical chain it was told of, and
answers GET /digest with its tip and a hash over all of it. It is what `README.md` tests in twenty lines.

    pip install grpcio grpcio-tools
    python consumer.py HOST:PORT PORT
"""

import hashlib
import http.server
import json
import pathlib
import sys
import tempfile
import threading
import time

import grpc
from grpc_tools import protoc

CONTRACT = pathlib.Path(__file__).resolve().parents[2] / "sidecar" / "exex" / "remote.proto"


def load_contract():
    """Generates the messages and the client from the contract."""
    out = tempfile.mkdtemp()
    arguments = ["", f"-I{CONTRACT.parent}", f"--python_out={out}", f"--grpc_python_out={out}", CONTRACT.name]
    if protoc.main(arguments) != 0:
        sys.exit(f"{CONTRACT} cannot be compiled")
    sys.path.insert(0, out)
    import remote_pb2
    import remote_pb2_grpc

    return remote_pb2, remote_pb2_grpc


class Books:
    """Blocks by height, as told; a block is taken on its parent only."""

    def __init__(self):
        self.blocks = {}
        self.tip = None
        self.problem = None

    def undo(self, chain):
        for block in chain.blocks:
            self.blocks.pop(block.header.header.number, None)

    def apply(self, chain):
        for block in chain.blocks:
            header = block.header.header
            before = self.blocks.get(header.number - 1)
            if self.blocks and (before is None or before[0] != header.parent_hash):
                raise ValueError(f"block {header.number} does not follow")
            self.blocks[header.number] = (block.header.hash, len(block.body))
            self.tip = header.number

    def digest(self):
        numbers = sorted(self.blocks)
        whole = hashlib.sha256()
        for number in numbers:
            whole.update(self.blocks[number][0])
        return {
            "first": numbers[0] if numbers else None,
            "number": numbers[-1] if numbers else None,
            "hash": "0x" + self.blocks[numbers[-1]][0].hex() if numbers else None,
            "transactions": sum(count for _, count in self.blocks.values()),
            "digest": whole.hexdigest(),
            "problem": self.problem,
        }


def follow(address, books, lock):
    messages, services = load_contract()
    unlimited = [("grpc.max_receive_message_length", -1)]
    while True:
        try:
            with grpc.insecure_channel(address, options=unlimited) as channel:
                for notification in services.RemoteExExStub(channel).Subscribe(messages.SubscribeRequest()):
                    kind = notification.WhichOneof("notification")
                    told = getattr(notification, kind)
                    with lock:
                        if kind != "chain_committed":
                            books.undo(told.old)
                        if kind != "chain_reverted":
                            books.apply(told.new)
        except (grpc.RpcError, ValueError) as error:
            # The service cannot resume: what was missed is missed, so it begins anew.
            with lock:
                books.__init__()
                books.problem = str(error)
            time.sleep(0.2)


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    books, lock = Books(), threading.Lock()
    threading.Thread(target=follow, args=(address, books, lock), daemon=True).start()

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with lock:
                body = json.dumps(books.digest()).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Door).serve_forever()


if __name__ == "__main__":
    main()
