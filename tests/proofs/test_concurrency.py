"""Eight processes write to one database at once; on SQLite a file of its own, on PostgreSQL a database of its own.

The controls do it wrongly on purpose: were they to pass, the proofs above them would prove nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = [pytest.mark.alone, pytest.mark.own_database]
ROOT = Path(__file__).resolve().parents[2]
WRITERS = 8
ROUNDS = int(os.environ.get("PROOF_ROUNDS", "0"))  # of the long run: over 300 records each
ACTIVITIES = 300 if ROUNDS else 80
START = "import json, sys, django; django.setup(); from tests.proofs.writers import main; main(json.loads(sys.argv[1]))"


class Scratch:
    """A database built once and copied for every proof."""

    def __init__(self, directory):
        self.directory = directory
        self.copies = 0
        self.postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
        self.template = self._name("template")
        if self.postgresql:
            self._sql(f'CREATE DATABASE "{self.template}"')
        together(self.url(self.template), [("build", ACTIVITIES, 40)])

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


def together(url, commands, **environment):
    """What each of `commands` reported, all let go at once, and what stands in the database afterwards."""
    product = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", START, json.dumps(commands)],
        cwd=ROOT,
        env={**os.environ, **product, **environment},
        capture_output=True,
        text=True,
        timeout=600 * max(1, ROUNDS),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["reports"], answer["found"]


def summed(reports, found):
    """(how often each thing was done, the errors of all, what stands in the database)."""
    did = sum((Counter(report["did"]) for report in reports), Counter())
    return did, [error for report in reports for error in report["errors"]], found


def test_eight_approving_the_same_records_count_each_once(database):
    did, errors, found = summed(*together(database, [("approve", number) for number in range(WRITERS)]))
    everything = ACTIVITIES + 40
    assert errors == []
    assert did == {"approve": everything, "too late": (WRITERS - 1) * everything}
    assert found["approval_events"] == found["approved"] == everything
    assert found["records_total"] == found["figures_total"] == sum(range(1000, 1000 + ACTIVITIES))
    assert (found["differences"], found["broken_histories"]) == (0, 0)


def test_eight_doing_different_things_leave_no_difference(database):
    """Approve, return, edit, undo, cancel, declare, decline, move, lock, unlock. PROOF_ROUNDS=20 for the long run."""
    operations = ROUNDS * ACTIVITIES or 100
    did, errors, found = summed(*together(database, [("mix", number, operations) for number in range(WRITERS)]))
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
    (*_, closed), after = together(database, [*(("mix", number, 60) for number in range(WRITERS - 1)), ("close",)])
    assert after == closed
    assert (after["differences"], after["broken_histories"]) == (0, 0)


@pytest.mark.postgresql
def test_control_reading_then_saving_counts_wrongly(database):
    did, errors, found = summed(*together(database, [("naive", number, 100) for number in range(WRITERS)]))
    assert did["approve"] > 100 or errors
    assert found["differences"] > 0


@pytest.mark.sqlite
def test_control_without_immediate_transactions_sqlite_refuses_writers(database):
    commands = [("naive", number, 100) for number in range(WRITERS)]
    _, errors, _ = summed(*together(database, commands, PROOF_DEFERRED="1"))
    assert {error.partition(": ")[2] for error in errors} == {"OperationalError: database is locked"}
