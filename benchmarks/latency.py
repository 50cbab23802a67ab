"""Measure the latency of another client of the server by repeated GETs.

Usage: latency.py PORT SECONDS; prints the 50th and 99th percentile in microseconds.
"""

import socket
import sys
import time


def main() -> None:
    """GET one key without a pause and print how long it took."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    taken = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        connection.sendall(b"GET bench:latency\r\n")
        connection.recv(4_096)
        taken.append(time.perf_counter() - begun)
        time.sleep(0.0005)
    taken.sort()
    for part in (0.5, 0.99):
        sys.stdout.write(f"{taken[int(len(taken) * part)] * 1e6:.0f}\n")


if __name__ == "__main__":
    main()
