"""A worker that takes a piece of work whenever it may, and prints a line at each change of its state.

DATABASE_URL, ZDM_MANIFEST (a file; default zdm-manifest), APP_VERSION
"""

import logging
import os
import signal
import sys
import threading

from zdm_lease import Lease

logging.basicConfig(stream=sys.stderr, format="%(message)s")
ending = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ending.set())
signal.signal(signal.SIGINT, lambda *_: ending.set())


def work():
    """Here the database would be used: statements that take no longer than the lease's margin, 5 s of a minute."""


def shown(lease):
    if lease.state == "stopped":
        return [f"stopped: {lease.reason}"]
    if lease.state != "serving":
        return [lease.state]
    structures = [(id, "new" if lease.reads_new(id) else "old") for id, reached in lease.needs.items() if reached == "expanded"]
    lines = [f"serving, lease {lease.number}" if lease.number else "serving, without a lease"]
    return lines + [f"{id}: reads the {structure} structure" for id, structure in structures]


def main():
    with open(os.environ.get("ZDM_MANIFEST", "zdm-manifest")) as file:
        manifest = file.read()
    lease = Lease(os.environ["DATABASE_URL"], manifest, version=os.environ.get("APP_VERSION", "unknown"))
    lease.start()
    told = []
    while True:
        if ending.is_set():
            lease.leave()
        lines = shown(lease)
        for line in lines:
            if line not in told:
                print(line, flush=True)
        told = lines
        if lease.reason is not None:
            return 0 if ending.is_set() and lease.reason == "left" else 1
        if lease.ready():
            work()
        ending.wait(0.02)


if __name__ == "__main__":
    sys.exit(main())
