#!/usr/bin/env python3
"""Make the checked-in snapshot of edxapp's tables from the definitions of a running platform.

    tools/generate_schema.py SHARED    # the folder that holds schema/ and golden/

Writes crates/records/migrations:
    mysql/0000_edxapp.sql    the definitions as they are, each made only if missing
    sqlite/0000_edxapp.sql   the same columns, keys and indexes in SQLite's form
    sqlite/0002_statistics.sql   what SQLite's planner is told about tables that will grow
    0000_edxapp_rows.sql     the rows that Django's migrations make; plain enough for both engines
"""

import gzip
import re
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "crates" / "records" / "migrations"

# Columns that hold opaque keys, secrets or machine identifiers: compared exactly on SQLite.
# (MySQL's collation folds their case; the code never relies on that.)
EXACT = re.compile(
    r"""^(
        course_id | course_key | (source_|downstream_|upstream_|data_)?(usage|context)_key
      | source_course_key | course_overview_id | usage_id | module_id | item_id | location
      | _location | block_key | key_?str | source_key | source_key_str | content_id | content_key
      | org_course | unenrolled_run_id | entrance_exam_id | upstream_container_key | external_user_key
      | (.*_)?(token|secret|uuid|hash|hashed|digest|version) | .*activation_key | session_key
      | private_key | public_key | code | code_challenge | objectid | mongo_id | edx_video_id
      | password | anonymous_user_id | hash_digest | subsection_id | jti | history_id
    )$""",
    re.X,
)
# The overview's primary key is the course key.
EXACT_PRIMARY = {"course_overviews_courseoverview", "course_overviews_historicalcourseoverview"}

# Tables that grow with learners, and how many rows to plan for. Without statistics SQLite takes any
# index on one column to be as good as another, and would walk a whole course for one learner.
GROWING = {
    "courseware_studentmodule": 1_000_000,
    "courseware_studentmodulehistory": 1_000_000,
    "completion_blockcompletion": 1_000_000,
    "grades_persistentsubsectiongrade": 500_000,
}
GROWING |= dict.fromkeys(
    """auth_user auth_userprofile bookmarks_bookmark bookmarks_xblockcache
    certificates_generatedcertificate course_goals_coursegoal course_goals_useractivity
    course_groups_cohortmembership course_groups_courseusergroup_users
    courseware_studentfieldoverride courseware_xmodulestudentinfofield
    courseware_xmodulestudentprefsfield courseware_xmoduleuserstatesummaryfield
    django_comment_client_role_users edx_when_contentdate edx_when_userdate
    grades_persistentcoursegrade oauth2_provider_accesstoken oauth2_provider_refreshtoken
    schedules_schedule student_anonymoususerid student_courseaccessrole student_courseenrollment
    student_courseenrollmentattribute student_userattribute user_api_usercoursetag
    user_api_userorgtag user_api_userpreference""".split(),
    100_000,
)

# How many different values a column has, by its name.
DISTINCT = (
    (r"(course_id|course_key|context_key|org)$", 100),
    (r"(user_id|student_id|enrollment_id|user_profile_id|application_id)$", 20_000),
    (r"(module_id|usage_key|usage_id|block_key|location|content_date_id|policy_id)$", 5_000),
    (r"(created|modified|updated|expires|username|email|token|verify_uuid)$", 100_000),
)

LANGUAGE_ROWS = ("django_content_type", "auth_permission", "django_migrations")
APPLIED = "2025-06-01 00:00:00.000000"

# Rows whose stock text is not ours to ship, or that hold a drawn secret.
HTML = (
    "<!DOCTYPE html><html><head><meta charset='utf-8'><title>{course_title}</title></head>"
    "<body style='font-family: sans-serif; max-width: 40rem; margin: 0 auto;'>"
    "<p><a href='{course_url}'>{course_title}</a></p><div>{{message_body}}</div><hr>"
    "<p style='font-size: 0.85rem;'>{platform_name} sent this to {email} because you are enrolled "
    "in {course_title}. <a href='{email_settings_url}'>Change your e-mail settings</a> or "
    "<a href='{unsubscribe_link}'>unsubscribe</a>.</p></body></html>"
)
PLAIN = (
    "{course_title}\n\n{{message_body}}\n\n--\n{platform_name} sent this to {email} because you "
    "are enrolled in {course_title} ({course_url}).\nE-mail settings: {email_settings_url}\n"
    "Unsubscribe: {unsubscribe_link}\n"
)
REPLACED = {
    ("bulk_email_courseemailtemplate", "html_template"): HTML,
    ("bulk_email_courseemailtemplate", "plain_template"): PLAIN,
    ("oauth2_provider_application", "client_secret"): "",
    ("auth_user", "password"): "!no password can be given to this account",
}
SKIPPED = {"enterprise_enrollmentnotificationemailtemplate"}


def split_definition(body):
    """Lines of a CREATE TABLE, as mysqldump writes them: one a line."""
    return [line.strip().rstrip(",") for line in body.strip().split("\n")]


def sqlite_type(sql_type):
    base = sql_type.split("(")[0].split()[0]
    if base in ("int", "bigint", "smallint"):
        return "integer"
    return {
        "tinyint": "bool",
        "longtext": "text",
        "double": "real",
        "longblob": "BLOB",
        "datetime": "datetime",
        "date": "date",
        "decimal": "decimal",
    }.get(base, sql_type.split(" CHARACTER")[0])


def spaced(names):
    return ", ".join(name.strip() for name in names.split(","))


def sqlite_table(table, body):
    """The CREATE TABLE and CREATE INDEX statements of one table."""
    columns, constraints, indexes = [], [], []
    lines = split_definition(body)
    primary = next(re.match(r"PRIMARY KEY \(`(.*)`\)$", line) for line in lines if "PRIMARY" in line)
    primary = primary.group(1)
    for line in lines:
        column = re.match(r"`([^`]+)` ([a-z]+(?:\([0-9,]+\))?(?: unsigned)?)(.*)$", line)
        if column:
            name, sql_type, rest = column.groups()
            parts = [f"`{name}`", sqlite_type(sql_type)]
            parts.append("NOT NULL" if "NOT NULL" in rest else "NULL")
            default = re.search(r"DEFAULT ('(?:[^']|'')*'|[0-9.-]+)", rest)
            if default:
                parts.append(f"DEFAULT {default.group(1)}")
            text = sql_type.startswith(("varchar", "char", "longtext"))
            exact = EXACT.match(name) or "_bin" in rest or sql_type.startswith("char")
            exact = exact or (name == "id" and table in EXACT_PRIMARY)
            if text and not exact:
                parts.append("COLLATE NOCASE")
            if name == primary:
                parts.append("PRIMARY KEY")
                if "AUTO_INCREMENT" in rest:
                    parts.append("AUTOINCREMENT")
            check = re.search(r"CHECK \((.*)\)$", rest)
            if check:
                parts.append(f"CHECK ({check.group(1)})")
            columns.append(" ".join(parts))
            continue
        unique = re.match(r"UNIQUE KEY `([^`]+)` \((.*)\)$", line)
        if unique:
            constraints.append(f"UNIQUE ({spaced(unique.group(2))})")
            continue
        key = re.match(r"KEY `([^`]+)` \((.*)\)$", line)
        if key:
            name = key.group(1)
            # Index names are one namespace on SQLite.
            if not name.startswith(table):
                name = f"{table}_{name}"
            indexes.append(f"CREATE INDEX `{name}` ON `{table}` ({spaced(key.group(2))});")
            continue
        foreign = re.match(
            r"CONSTRAINT `[^`]+` FOREIGN KEY \((.*)\) REFERENCES `([^`]+)` \((.*)\)(.*)$", line
        )
        if foreign:
            source, target, target_columns, action = foreign.groups()
            constraints.append(
                f"FOREIGN KEY ({spaced(source)}) REFERENCES `{target}` ({spaced(target_columns)})"
                f"{action} DEFERRABLE INITIALLY DEFERRED"
            )
            continue
        if line.startswith("CONSTRAINT") and "CHECK" in line:
            constraints.append(re.sub(r"^CONSTRAINT `[^`]+` ", "", line))
            continue
        if not line.startswith("PRIMARY KEY"):
            raise SystemExit(f"{table}: what is this? {line}")
    inner = ",\n  ".join(columns + constraints)
    return "\n".join([f"CREATE TABLE `{table}` (\n  {inner}\n);", *indexes])


def distinct(column):
    for pattern, count in DISTINCT:
        if re.search(pattern, column):
            return count
    return 5


def statistics(table, body):
    """Rows of sqlite_stat1 for the indexes of a growing table: rows, then rows per prefix."""
    total, automatic = GROWING[table], 0
    for line in split_definition(body):
        key = re.match(r"(UNIQUE )?KEY `([^`]+)` \((.*)\)$", line)
        if not key:
            continue
        columns = re.findall(r"`([^`]+)`", key.group(3))
        if key.group(1):
            automatic += 1
            name = f"sqlite_autoindex_{table}_{automatic}"
        else:
            name = key.group(2)
            name = name if name.startswith(table) else f"{table}_{name}"
        left, numbers = total, []
        for column in columns:
            left = max(2, left // distinct(column))
            numbers.append(left)
        if key.group(1):
            numbers[-1] = 1
        yield f"('{table}', '{name}', '{total} {' '.join(map(str, numbers))}')"


def values(text, at):
    """One parenthesised list of MySQL literals, from `at` on; the list and where it ends."""
    row, at = [], at + 1
    while True:
        if text[at] == "'":
            at += 1
            out = []
            while True:
                char = text[at]
                if char == "\\":
                    escape = text[at + 1]
                    out.append({"n": "\n", "r": "\r", "t": "\t", "0": "\0"}.get(escape, escape))
                    at += 2
                elif char == "'" and text[at + 1] == "'":
                    out.append("'")
                    at += 2
                elif char == "'":
                    at += 1
                    break
                else:
                    out.append(char)
                    at += 1
            row.append("".join(out))
        else:
            end = re.compile(r"[,)]").search(text, at).start()
            word = text[at:end].strip()
            row.append(None if word == "NULL" else (float(word) if "." in word else int(word)))
            at = end
        if text[at] == ")":
            return row, at + 1
        at += 1
        while text[at] == " ":
            at += 1


def inserts(text):
    """(table, columns, rows) of each INSERT."""
    for match in re.finditer(r"^INSERT INTO `([^`]+)` \(([^)]*)\) VALUES ", text, re.M):
        columns = [name.strip("` ") for name in match.group(2).split(",")]
        rows, at = [], match.end()
        while True:
            row, at = values(text, at)
            rows.append(row)
            if text[at] != ",":
                break
            at = text.index("(", at)
        yield match.group(1), columns, rows


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if "\\" in value:
            raise SystemExit(f"a backslash means different things to the engines: {value[:60]}")
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def row_statements(table, columns, rows):
    names = ", ".join(f"`{name}`" for name in columns)
    for start in range(0, len(rows), 200):
        lines = ",\n".join(
            "(" + ",".join(literal(value) for value in row) + ")" for row in rows[start : start + 200]
        )
        yield f"INSERT INTO `{table}` ({names}) VALUES\n{lines};"


def main(shared):
    source = (shared / "schema" / "edxapp-mysql.sql").read_text()
    tables = re.findall(
        r"^CREATE TABLE `([^`]+)` \(\n(.*?)\n\) (ENGINE=[^;]*);", source, re.M | re.S
    )
    head = "-- Generated by tools/generate_schema.py; do not edit.\n"
    mysql = [
        f"CREATE TABLE IF NOT EXISTS `{table}` (\n{body}\n) {options};"
        for table, body, options in tables
    ]
    (OUT / "mysql" / "0000_edxapp.sql").write_text(head + "\n".join(mysql) + "\n")
    sqlite = [sqlite_table(table, body) for table, body, _ in tables]
    (OUT / "sqlite" / "0000_edxapp.sql").write_text(head + "\n".join(sqlite) + "\n")

    lines = [line for table, body, _ in tables if table in GROWING for line in statistics(table, body)]
    (OUT / "sqlite" / "0002_statistics.sql").write_text(
        head
        + "-- Makes the table; the numbers of a real ANALYZE take the place of these.\n"
        + "ANALYZE `django_site`;\n"
        + "DELETE FROM `sqlite_stat1`;\n"
        + "INSERT INTO `sqlite_stat1` (`tbl`, `idx`, `stat`) VALUES\n"
        + ",\n".join(lines)
        + ";\n"
    )

    rows = []
    with gzip.open(shared / "golden" / "world.sql.gz", "rt") as world:
        for table, columns, found in inserts(world.read()):
            if table in LANGUAGE_ROWS:
                if table == "django_migrations":
                    found = [row[:3] + [APPLIED] for row in found]
                found.sort(key=lambda row: row[0])
                rows.extend(row_statements(table, columns, found))
    seed = (shared / "schema" / "migration-seed-rows.sql").read_text()
    for table, columns, found in inserts(seed):
        if table in SKIPPED:
            continue
        for row in found:
            for index, name in enumerate(columns):
                row[index] = REPLACED.get((table, name), row[index])
        rows.extend(row_statements(table, columns, found))
    (OUT / "0000_edxapp_rows.sql").write_text(head + "\n".join(rows) + "\n")
    print(f"{len(tables)} tables")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
