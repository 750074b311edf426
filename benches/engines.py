"""The command lines of other engines that expand and contract, for the benchmarks: pgroll and reshape, on PostgreSQL.

The environment names their binaries, PGROLL and RESHAPE; one that it does not name is left out. Both keep two versions of a
schema as schemas of views, which clients choose by search_path.
"""

import os
import shutil
import subprocess
import sys
import tempfile


class Engine:
    """One of them on a server's database `bench`, with a folder of migrations, the last of which is to be started."""

    def __init__(self, server):
        self.server, self.folder, self.stem = server, tempfile.mkdtemp(prefix="zdm-bench-peer-"), None
        self.binary = os.environ[self.name.upper()]

    def remove(self):
        shutil.rmtree(self.folder)

    def write(self, stem, text):
        self.adopt()
        self.stem, self.path = stem, os.path.join(self.folder, stem + self.ending)
        with open(self.path, "w") as file:
            file.write(text)
        return self

    def adopt(self):
        """Makes the tool know the tables that are there."""

    def view(self):
        """The schema that the last migration makes for new clients."""
        return self.prefix + self.stem

    def done(self, command):
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        if ended.returncode:
            sys.exit(f"{' '.join(command)} ended with {ended.returncode}: {ended.stdout}")

    def started(self):
        self.done(self.start())
        return self


class Pgroll(Engine):
    name, ending, prefix, adopted = "pgroll", ".yaml", "public_", False

    def command(self, *words):
        return [self.binary, "--postgres-url", self.server.url + "?sslmode=disable", *words]

    def init(self):
        self.adopted = True
        self.done(self.command("init"))

    def baseline(self):
        self.done(self.command("baseline", "00_base", self.folder, "--yes"))

    def adopt(self):
        if not self.adopted:
            self.init()
            self.baseline()

    def start(self):
        return self.command("start", self.path)

    def complete(self):
        return self.command("complete")

    def column(self, stem, name, up=None, kind="text"):
        return self.write(stem, "operations:\n  - add_column:\n      table: users\n" + (f'      up: "{up}"\n' if up else "") +
                          f"      column: {{ name: {name}, type: {kind}, nullable: true }}\n")

    def change(self, stem, up, down):
        return self.write(stem, "operations:\n  - alter_column:\n      table: users\n      column: name\n      type: varchar(200)\n"
                          f'      up: "{up}"\n      down: "{down}"\n')

    def drop(self, stem):
        return self.write(stem, "operations:\n  - drop_column:\n      table: users\n      column: name\n      down: \"'x'\"\n")

    def rename(self, stem, tables):
        return self.write(stem, "operations:\n" + "".join(
            f"  - rename_column:\n      table: {table}\n      from: x\n      to: z\n" for table in tables))

    def index(self, stem):
        return self.write(stem, "operations:\n  - create_index:\n      table: users\n      name: users_name\n"
                          "      columns: [{ column: name }]\n")


class Reshape(Engine):
    name, ending, prefix = "reshape", ".toml", "migration_"

    def command(self, *words):
        return [self.binary, "migration", *words, "--url", self.server.url]

    def start(self):
        return self.command("start", "--dirs", self.folder)

    def complete(self):
        return self.command("complete")

    def column(self, stem, name, up=None, kind="text"):
        return self.write(stem, '[[actions]]\ntype = "add_column"\ntable = "users"\n' + (f'up = "{up}"\n' if up else "") +
                          f'[actions.column]\nname = "{name}"\ntype = "{kind}"\n')

    def change(self, stem, up, down):
        return self.write(stem, f'[[actions]]\ntype = "alter_column"\ntable = "users"\ncolumn = "name"\nup = "{up}"\ndown = "{down}"\n'
                          '[actions.changes]\ntype = "VARCHAR(200)"\n')

    def drop(self, stem):
        return self.write(stem, '[[actions]]\ntype = "remove_column"\ntable = "users"\ncolumn = "name"\ndown = "\'x\'"\n')

    def rename(self, stem, tables):
        return self.write(stem, "".join(f'[[actions]]\ntype = "alter_column"\ntable = "{table}"\ncolumn = "x"\n'
                                        '[actions.changes]\nname = "z"\n' for table in tables))

    def index(self, stem):
        return self.write(stem, '[[actions]]\ntype = "add_index"\ntable = "users"\n'
                          '[actions.index]\nname = "users_name"\ncolumns = ["name"]\n')


def engines(server):
    """Those that the environment names and the server is for."""
    return [kind for kind in (Pgroll, Reshape) if server.family == "postgres" and os.environ.get(kind.name.upper())]
