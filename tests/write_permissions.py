"""Prints the rows that tests/permissions.csv lacks (NEW?) and those of routes that are gone (GONE). Writes nothing.

    python -m tests.write_permissions

The cells are to be filled by thinking: who should get this, by the policy and by what people expect.
"""

import os

import django


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.policy_world import ROLES
    from tests.test_policy import TABLE, keys, table

    there = {(row["route"], row["method"], row["relation"]) for row in table()} if TABLE.exists() else set()
    if not there:
        print(",".join(["route", "method", "relation", *ROLES]))
    for key in keys():
        if key not in there:
            print(",".join([*key, *["NEW?"] * len(ROLES)]))
    for key in sorted(there - set(keys())):
        print("GONE", ",".join(key))


if __name__ == "__main__":
    main()
