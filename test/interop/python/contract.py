"""What the Python client programs share: the request, and the lines they print.

See harness/contract.ts for the commands and what they print.
"""

import json
import signal
import sys
import time


class Stopped(Exception):
    """SIGTERM came during a wait."""


class Stop:
    """Turns true on SIGTERM."""

    def __init__(self):
        self.asked = False
        self.is_waiting = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_):
        self.asked = True
        if self.is_waiting:
            raise Stopped

    def interrupts(self, action):
        """The result of an action that may wait long, or None once SIGTERM has come."""
        try:
            self.is_waiting = True
            return None if self.asked else action()
        except Stopped:
            return None
        finally:
            self.is_waiting = False

    def __bool__(self):
        return self.asked

    def wait(self):
        while not self.asked:
            signal.pause()


class Request:
    """The fields of the request as attributes; those that are not there are None."""

    def __init__(self, fields):
        self.__dict__.update(fields)

    def __getattr__(self, _name):
        return None


def to_bytes(text):
    return None if text is None else text.encode()


def to_text(data):
    return None if data is None else bytes(data).decode()


def emit(**event):
    print(json.dumps(event, ensure_ascii=False), flush=True)


def emit_record(partition, offset, key, value, headers, timestamp):
    emit(
        type="record",
        partition=partition,
        offset=offset,
        key=to_text(key),
        value=to_text(value),
        headers=[[name, to_text(data)] for name, data in headers or []],
        timestamp=timestamp,
    )


def emit_owns(partitions):
    emit(type="owns", partitions=sorted(partitions), at=time.time() * 1000)


class Progress:
    """Tells when a reader has seen the last offset of every partition."""

    def __init__(self, last):
        self._missing = {number for number, offset in enumerate(last) if offset >= 0}
        self._last = last

    def saw(self, partition, offset):
        if offset >= self._last[partition]:
            self._missing.discard(partition)

    @property
    def is_done(self):
        return not self._missing


def run_steps(request, deeds, code_of):
    """Does the steps of an admin request; `code_of` gives the Kafka error code of an exception."""
    for step in request.steps:
        try:
            answer = deeds[step["do"]](Request(step)) or {}
        except Exception as error:
            code = code_of(error)
            if code is None:
                raise
            answer = {"error": code}
        emit(type="answer", **answer)
        time.sleep(request.pauseMs / 1000)


def main(commands):
    command, path = sys.argv[1], sys.argv[2]
    with open(path, encoding="utf-8") as file:
        commands[command](Request(json.load(file)))
