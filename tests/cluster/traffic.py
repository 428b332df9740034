#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks an HTTP server again and again, each time by a new connection.

    traffic.py HOST PORT [SECONDS]

Asks for /hostname, 50 ms after each answer, until standard input ends, but at
most for SECONDS, 300 if not given.  Then prints a JSON object: "answers" with
the number of answers of each host name, and "faults", a list of texts.
"""

import http.client
import json
import os
import select
import sys
import time


def ask(host, port):
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/hostname")
        response = connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise OSError("status %d: %s" % (response.status, text))
        return text
    finally:
        connection.close()


def repeat(function, seconds):
    """Calls "function()", which returns a name, until standard input ends.
    Prints how often which name came, and the faults."""
    end = time.monotonic() + seconds
    answers, faults = {}, []
    print("ready", flush=True)
    while time.monotonic() < end:
        start = time.time()
        try:
            name = function()
            answers[name] = answers.get(name, 0) + 1
        except (OSError, http.client.HTTPException) as error:
            faults.append("%.3f to %.3f: %r" % (start, time.time(), error))
        if select.select([sys.stdin], [], [], 0.05)[0]:
            os.read(0, 1)
            break
    print(json.dumps({"answers": answers, "faults": faults}))


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    repeat(lambda: ask(host, port), float((sys.argv + [300])[3]))


if __name__ == "__main__":
    main()
