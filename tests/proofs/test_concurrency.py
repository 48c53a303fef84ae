"""Eight processes write to one database at once; on SQLite a file of its own, on PostgreSQL a database of its own.

The controls do it wrongly on purpose: were they to pass, the proofs above them would prove nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = [pytest.mark.alone, pytest.mark.own_database]
ROOT = Path(__file__).resolve().parents[2]
WRITERS = 8
ROUNDS = int(os.environ.get("PROOF_ROUNDS", "0"))  # of the long run: over 300 records each
ACTIVITIES = 300 if ROUNDS else 80
START = "import sys, django; django.setup(); from tests.proofs.writers import main; main(*sys.argv[1:])"


class Scratch:
    """A database built once and copied for every proof."""

    def __init__(self, directory):
        self.directory = directory
        self.copies = 0
        self.postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
        self.template = self._name("template")
        if self.postgresql:
            self._sql(f'CREATE DATABASE "{self.template}"')
        run(self.url(self.template), "build", ACTIVITIES, 40)

    def _name(self, suffix):
        return f"proof_{os.getpid()}_{suffix}"

    def url(self, name):
        if not self.postgresql:
            return f"sqlite:///{self.directory / name}.sqlite3"
        server = settings.DATABASES["default"]
        password = f":{server['PASSWORD']}" if server["PASSWORD"] else ""
        return f"postgres://{server['USER']}{password}@{server['HOST']}:{server['PORT']}/{name}"

    def copy(self):
        self.copies += 1
        name = self._name(self.copies)
        if self.postgresql:
            self._sql(f'CREATE DATABASE "{name}" TEMPLATE "{self.template}"')
        else:
            shutil.copy(self.directory / f"{self.template}.sqlite3", self.directory / f"{name}.sqlite3")
        return self.url(name)

    def drop(self):
        for name in [self.template, *(self._name(number + 1) for number in range(self.copies))]:
            if self.postgresql:
                self._sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _sql(self, statement):
        import psycopg

        server = settings.DATABASES["default"]
        with psycopg.connect(
            host=server["HOST"],
            port=server["PORT"],
            user=server["USER"],
            password=server["PASSWORD"] or None,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    database = Scratch(tmp_path_factory.mktemp("proof"))
    yield database
    database.drop()


@pytest.fixture
def database(scratch):
    return scratch.copy()


def start(url, *command, **environment):
    product = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", START, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **product, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    out, err = process.communicate("go\n", timeout=600 * max(1, ROUNDS))
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def run(url, *command):
    return together(url, [command], waits=False)[0]


def together(url, commands, *, waits=True, **environment):
    """Start every command, let all go at once, return what each reported."""
    with ExitStack() as running:
        processes = [start(url, *command, **environment) for command in commands]
        for process in processes:
            running.enter_context(process)
            running.callback(process.kill)
        if waits:
            for process in processes:
                assert process.stdout.readline() == "ready\n", process.stderr.read()
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
        return [finish(process) for process in processes]


def summed(reports):
    did = sum((Counter(report["did"]) for report in reports), Counter())
    return did, [error for report in reports for error in report["errors"]]


def test_eight_approving_the_same_records_count_each_once(database):
    did, errors = summed(together(database, [("approve", number) for number in range(WRITERS)]))
    found = run(database, "report")
    everything = ACTIVITIES + 40
    assert errors == []
    assert did == {"approve": everything, "too late": (WRITERS - 1) * everything}
    assert found["approval_events"] == found["approved"] == everything
    assert found["records_total"] == found["figures_total"] == sum(range(1000, 1000 + ACTIVITIES))
    assert (found["differences"], found["broken_histories"]) == (0, 0)


def test_eight_doing_different_things_leave_no_difference(database):
    """Approve, return, edit, undo, cancel, declare, decline, move, lock, unlock. PROOF_ROUNDS=20 for the long run."""
    operations = ROUNDS * ACTIVITIES or 100
    did, errors = summed(together(database, [("mix", number, operations) for number in range(WRITERS)]))
    found = run(database, "report")
    assert errors == []
    assert (found["differences"], found["broken_histories"]) == (0, 0)
    assert (found["journal"], found["unjournaled"]) == ([], 0)
    assert found["records_total"] == found["figures_total"] > 0
    assert found["declined"] > 0
    steps = Counter(found["steps"])
    assert [steps[name] for name in ("return", "cancel", "restore")] == [
        did[name] for name in ("give_back", "cancel", "restore")
    ]
    assert steps["unapprove"] + steps["recall"] == did["unapprove"] + did["undone"]
    everything = {"approve", "approve_some", "give_back", "submit", "edit", "unapprove", "cancel", "restore"}
    everything |= {"undo", "accept", "unlock", "reopen", "declare", "move", "answer"}
    assert everything <= {name for name, times in did.items() if times}


def test_nothing_changes_in_a_year_that_somebody_closed_meanwhile(database):
    *_, closed = together(database, [*(("mix", number, 60) for number in range(WRITERS - 1)), ("close",)])
    after = run(database, "report")
    assert after == closed
    assert (after["differences"], after["broken_histories"]) == (0, 0)


@pytest.mark.postgresql
def test_control_reading_then_saving_counts_wrongly(database):
    did, errors = summed(together(database, [("naive", number, 100) for number in range(WRITERS)]))
    found = run(database, "report")
    assert did["approve"] > 100 or errors
    assert found["differences"] > 0


@pytest.mark.sqlite
def test_control_without_immediate_transactions_sqlite_refuses_writers(database):
    commands = [("naive", number, 100) for number in range(WRITERS)]
    _, errors = summed(together(database, commands, PROOF_DEFERRED="1"))
    assert {error.partition(": ")[2] for error in errors} == {"OperationalError: database is locked"}
