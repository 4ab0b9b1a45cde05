"""How many of each product there are. Plain HTTP calls put it on the roll; any language can do the same."""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

REGISTRY = os.environ.get("ROLLCALL_URL", "http://127.0.0.1:7400")
TOKEN = os.environ.get("ROLLCALL_TOKEN")
ID = os.environ.get("INSTANCE", f"stock-{os.getpid()}")
INSTANCE = f"{REGISTRY}/v1/namespaces/default/services/stock/instances/{ID}"
COUNTS = {"kettle": 4, "teapot": 0, "cup": 120}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        product = self.path.rsplit("/", 1)[-1]
        body = json.dumps({"count": COUNTS.get(product, 0)}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {} if data is None else {"content-type": "application/json"}
    if TOKEN is not None:
        headers["authorization"] = f"Bearer {TOKEN}"
    with urlopen(Request(url, data, headers, method=method), timeout=2) as reply:
        text = reply.read()
        return json.loads(text) if text else None


def register(port):
    # No address: the registry takes the one that it sees.
    return call("PUT", INSTANCE, {"ports": {"http": port}})["lease"]


def beat(lease, port):
    """Renews the lease, or registers when there is none. Returns the lease to renew next."""
    try:
        if lease is None:
            return register(port)
        call("PUT", f"{REGISTRY}/v1/leases/{lease['id']}")
    except OSError as error:
        print(f"registry: {error}", file=sys.stderr, flush=True)
        # 404: the registry forgot it. Everything else passes by itself.
        if getattr(error, "code", None) == 404:
            return None
    return lease


def keep_on_the_roll(port, stopping):
    lease = beat(None, port)
    print(f"{ID} on port {port}", flush=True)
    while not stopping.wait(1 if lease is None else lease["heartbeatIntervalMs"] / 1000):
        lease = beat(lease, port)
    if lease is not None:
        call("DELETE", f"{INSTANCE}?lease={lease['id']}")


listening = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "0")))
server = ThreadingHTTPServer(listening, Handler)
stopping = threading.Event()
for name in (signal.SIGTERM, signal.SIGINT):
    signal.signal(name, lambda *_: stopping.set())
threading.Thread(target=server.serve_forever, daemon=True).start()
keep_on_the_roll(server.server_address[1], stopping)
