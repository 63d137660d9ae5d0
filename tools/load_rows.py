#!/usr/bin/env python3
"""Fill a migrated database with the rows of a MySQL dump, such as a recorded world.

    tools/load_rows.py DUMP[.gz] sqlite:PATH
    tools/load_rows.py DUMP[.gz] mysql://USER[:PASSWORD]@HOST:PORT/SCHEMA [--without TABLE:COLUMN=VALUE …]

Tables that the dump names lose the rows that they have. `--without` leaves out rows, for example
the course index of a course that will be imported. Nothing else may use the database meanwhile.
"""

import argparse
import gzip
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))
from generate_schema import inserts  # noqa: E402


def read(dump):
    opened = gzip.open(dump, "rt") if dump.endswith(".gz") else open(dump)
    with opened as file:
        return list(inserts(file.read()))


def leave_out(tables, rules):
    """The same without the rows that a rule `TABLE:COLUMN=VALUE` names."""
    for rule in rules:
        where, value = rule.split("=", 1)
        table, column = where.split(":")
        for name, columns, rows in tables:
            if name == table:
                index = columns.index(column)
                rows[:] = [row for row in rows if str(row[index]) != value]


def into_sqlite(path, tables):
    if not Path(path).is_file():
        raise SystemExit(f"{path}: no such database; run `stoa migrate` first")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")
    with connection:
        for table, columns, rows in tables:
            connection.execute(f"DELETE FROM `{table}`")
            names = ", ".join(f"`{name}`" for name in columns)
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO `{table}` ({names}) VALUES ({marks})", rows)
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    for table, row, target, _ in broken[:20]:
        print(f"warning: row {row} of {table} refers to a missing row of {target}")
    connection.close()


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return str(value)


def into_mysql(url, tables):
    parts = urlsplit(url)
    lines = [
        "SET NAMES utf8mb4; SET time_zone = '+00:00'; SET FOREIGN_KEY_CHECKS = 0;",
        "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; START TRANSACTION;",
    ]
    for table, columns, rows in tables:
        lines.append(f"DELETE FROM `{table}`;")
        names = ", ".join(f"`{name}`" for name in columns)
        for start in range(0, len(rows), 200):
            values = ",\n".join(
                "(" + ", ".join(map(literal, row)) + ")" for row in rows[start : start + 200]
            )
            lines.append(f"INSERT INTO `{table}` ({names}) VALUES {values};")
    lines.append("COMMIT;")
    command = ["mariadb", f"--host={parts.hostname}", f"--port={parts.port or 3306}"]
    command += [f"--user={unquote(parts.username or 'root')}", parts.path.lstrip("/")]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    if parts.password:
        environment["MYSQL_PWD"] = unquote(parts.password)
    subprocess.run(command, input="\n".join(lines).encode(), env=environment, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dump")
    parser.add_argument("database")
    parser.add_argument("--without", action="append", default=[], metavar="TABLE:COLUMN=VALUE")
    arguments = parser.parse_args()
    tables = read(arguments.dump)
    leave_out(tables, arguments.without)
    if arguments.database.startswith("sqlite:"):
        into_sqlite(arguments.database.removeprefix("sqlite:").removeprefix("//"), tables)
    else:
        into_mysql(arguments.database, tables)
    print(f"{len(tables)} tables, {sum(len(rows) for _, _, rows in tables)} rows")


if __name__ == "__main__":
    main()
