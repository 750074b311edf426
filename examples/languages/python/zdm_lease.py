"""A lease of zdm for a Python process: what docs/applications.md asks of a client, in one file to copy.

    lease = Lease(os.environ["DATABASE_URL"], open("zdm-manifest").read(), version="42")
    lease.start()             # joins and renews in a thread of its own
    while ...:
        if lease.ready():     # before each piece of work
            ...
    lease.leave()             # when the last statement is done

PostgreSQL by psycopg2, MySQL and MariaDB by PyMySQL.
"""

import logging
import os
import random
import select
import socket
import threading
import time
from urllib.parse import unquote, urlsplit

log = logging.getLogger("zdm")

ASK_AGAIN = 1.0  # seconds between two questions while a gate decides, or something is missing
FIRST_PATIENCE = 10.0  # seconds for one call while no lease says how much time there is
LEAVE_PATIENCE = 2.0


def now():
    """Seconds on a clock that goes on while the machine sleeps: on one that stops, a lease looks fresh when it is long over."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def margin(ttl):
    """What is left of a lease for the work that is under way at its deadline."""
    return min(ttl / 12, 5.0)


def patience(ttl):
    """How long one call may take."""
    return min(max(ttl / 4, 0.5), FIRST_PATIENCE)


class Lease:
    """Says whether this process may use the database. `state` is joining, serving, suspended or stopped (see `reason`)."""

    def __init__(self, url, manifest, version, instance=None, join_timeout=60.0):
        self.service, self.tolerates, self.needs = read_manifest(manifest)
        self.version = version
        self.instance = instance or f"{socket.gethostname()}-{os.getpid()}"
        self.number = None  # of the lease that is held, or was held last
        self.reason = None  # why it has stopped, for good
        self._join_timeout = join_timeout
        self._database = open_database(url, f"zdm:{self.service}#{self.instance}"[:63])
        self._deadline = None  # on the clock of now()
        self._ttl = 0.0
        self._failures = 0
        # Which of the migrations that need only be expanded are known to be migrated.
        self._migrated = {id: False for id, reached in self.needs.items() if reached == "expanded"}
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="zdm-lease", daemon=True)

    def start(self):
        switch = os.environ.get("ZDM_APP", "")
        if switch not in ("", "on", "off"):
            raise ValueError(f'ZDM_APP is "{switch}": write off, or nothing')
        if switch == "off":  # for tests, and for the day on which zdm is the trouble: no gate sees this process
            self._migrated = dict.fromkeys(self._migrated, True)
            self._deadline = float("inf")
        else:
            self._thread.start()

    @property
    def state(self):
        if self.reason is not None:
            return "stopped"
        deadline = self._deadline
        if deadline is None:
            return "joining"
        return "serving" if now() < deadline else "suspended"

    def ready(self):
        """Whether work may begin at this very moment."""
        return self.state == "serving"

    def reads_new(self, migration):
        """Whether a migration that is needed from its expand on is complete, so that its new structure is to be read."""
        return self._migrated.get(migration, self.needs[migration] == "migrated")

    def leave(self):
        """Not ready from here on; the lease ends now, or, when the database cannot be told, by itself."""
        self._stop("left")
        self._leaving.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_PATIENCE + 1)

    # What follows runs in the lease's own thread.

    def _keep(self):
        begun = now()
        while self.reason is None:
            sent = now()  # before the call: a gate waits from after its fence, so a deadline from the reply would not do
            try:
                pause = self._turn(sent)
                self._failures = 0
            except Exception as error:  # whatever it was, the deadline stands
                self._database.close()
                log.warning("could not keep the lease: %s", error)
                self._failures += 1
                longest = min(0.1 * 2 ** min(self._failures, 16), patience(self._ttl))
                pause, why = longest * random.uniform(0.05, 1), f"could not join: {error}"
            else:
                why = "the database is not ready for this build, or a gate is still deciding"
            if self._deadline is None and now() > begun + self._join_timeout:
                self._stop(f"after {self._join_timeout:g} s: {why}")
            self._leaving.wait(pause)
        if self.number is not None and self._leaving.is_set():
            try:
                self._database.call("leave_v1", [self.number], LEAVE_PATIENCE)
            except Exception as error:
                log.warning("could not leave, so the lease will expire: %s", error)
        self._database.close()

    def _turn(self, sent):
        """One call; returns how long to wait before the next."""
        limit = patience(self._ttl) if self._ttl else FIRST_PATIENCE
        if self.number is not None and now() < self._deadline:
            outcome, ttl_ms, detail = self._database.call("renew_v1", [self.number], limit)
            number = self.number
        else:
            tolerates = ",".join(self.tolerates)
            needs = ",".join(f"{id}={reached}" for id, reached in self.needs.items())
            arguments = [self.service, self.version, self.instance, tolerates, needs, "suspends"]
            outcome, number, ttl_ms, detail = self._database.call("join_v1", arguments, limit)

        if outcome in ("joined", "renewed"):
            return self._granted(sent, number, ttl_ms / 1000, outcome == "joined", limit)
        if outcome == "fenced":
            self._stop(self._refusal(detail))
            return 0
        if outcome == "gone":  # the lease was lost, say with a restored backup: join, and serve on until the deadline
            self.number = None
            return 0
        if outcome in ("fencing", "missing"):  # a gate decides, or the migration is not there yet
            log.info("%s: %s", outcome, detail)
            return min(self._ttl / 4, ASK_AGAIN) if self._ttl else ASK_AGAIN
        raise ValueError(f'cannot understand the answer "{outcome}"')

    def _granted(self, sent, number, ttl, joined, limit):
        # A grant counts only with the answer which structure is to be read. While the lease holds, migrated stays so.
        for migration, known in list(self._migrated.items()):
            if joined or not known:
                (reached,) = self._database.call("reached_v1", [migration], limit)
                self._migrated[migration] = reached == "migrated"
        deadline = sent + ttl - margin(ttl)
        if now() >= deadline:  # the reply is older than what it grants
            return 0
        old, self.number = self.number, number
        self._ttl, self._deadline = ttl, deadline
        if joined and old is not None:  # so that nobody takes this process for two
            self._database.call("leave_v1", [old], limit)
        return max(0, sent + ttl / 4 * random.uniform(0.8, 1) - now())

    def _stop(self, reason):
        if self.reason is None:
            self.reason = reason

    def _refusal(self, detail):
        kind, _, migration = detail.partition("=")
        if kind == "tolerate":
            return f"migration {migration} has been contracted, and this build does not tolerate it: deploy a newer build"
        return f"migration {migration} has been rolled back, and this build needs it: deploy an older build"


def read_manifest(text):
    """Service, what it tolerates, what it needs, from what `zdm manifest` wrote."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if not lines or lines[0] != ["zdm-manifest", "1"]:
        raise ValueError('the manifest does not begin with "zdm-manifest 1"')
    service, tolerates, needs = None, [], {}
    for words in lines[1:]:
        if words[0] == "service" and len(words) == 2 and service is None:
            service = words[1]
        elif words[0] == "tolerates" and len(words) == 2:
            tolerates.append(words[1])
        elif words[0] == "needs" and len(words) == 3 and words[2] in ("expanded", "migrated"):
            needs[words[1]] = words[2]
        else:
            raise ValueError(f"the manifest says what nobody knows: {' '.join(words)}")
    if service is None:
        raise ValueError("the manifest names no service")
    return service, tolerates, needs


def open_database(url, name):
    scheme = urlsplit(url).scheme
    if scheme in ("postgres", "postgresql"):
        return Postgres(url, name)
    if scheme in ("mysql", "mariadb"):
        return MySql(url, name)
    raise ValueError(f'"{scheme}" is not a database that zdm knows')


class Postgres:
    """A connection of its own, made when it is needed. Asynchronous, so that a silent network cannot hold a call for ever."""

    def __init__(self, url, name):
        self.url, self.name, self.connection = url, name, None

    def call(self, function, arguments, limit):
        import psycopg2

        until = now() + limit
        if self.connection is None:
            # An asynchronous connection commits each statement by itself.
            level = r"-c default_transaction_isolation=read\ committed"
            self.connection = psycopg2.connect(self.url, async_=True, application_name=self.name, options=level)
            self._wait(until)
        cursor = self.connection.cursor()
        marks = ", ".join(["%s"] * len(arguments))
        cursor.execute(f"SELECT * FROM zdm.{function}({marks})", arguments)
        self._wait(until)
        return cursor.fetchone()

    def _wait(self, until):
        from psycopg2 import extensions

        while (state := self.connection.poll()) != extensions.POLL_OK:
            left = until - now()
            if left <= 0:
                raise TimeoutError("the database did not answer in time")
            if state == extensions.POLL_READ:
                select.select([self.connection], [], [], left)
            else:
                select.select([], [self.connection], [], left)

    def close(self):
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


class MySql:
    """A connection of its own, made when it is needed."""

    def __init__(self, url, name):
        self.url, self.name, self.connection = urlsplit(url), name, None

    def call(self, function, arguments, limit):
        import pymysql

        if self.connection is None:
            self.connection = pymysql.connect(
                host=self.url.hostname,
                port=self.url.port or 3306,
                user=unquote(self.url.username or ""),
                password=unquote(self.url.password or ""),
                database=self.url.path.lstrip("/"),
                autocommit=True,
                connect_timeout=limit,
                read_timeout=limit,
                write_timeout=limit,
                program_name=self.name,
            )
        marks = ", ".join(["%s"] * len(arguments))
        with self.connection.cursor() as cursor:
            cursor.execute(f"CALL zdm_{function}({marks})", arguments)
            row = cursor.fetchone()
            while cursor.nextset():  # a CALL ends with a result of its own
                pass
            return row

    def close(self):
        connection, self.connection = self.connection, None
        if connection is not None:
            connection._force_close()  # without a word to a server that may not listen
