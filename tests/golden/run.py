#!/usr/bin/env python3
"""Replays recorded requests of the real platform against the release binary and prints the table of all groups.

    run.py --stoa bin/stoa --shared ../shared [--pairs DIR] [--only GROUP,...] [-v] [--json FILE] [--keep DIR]

Makes the world that the recordings assume once: a scratch MariaDB database with the platform's own tables and rows,
and its two courses imported. Before each group it puts that world back (database and data folder), starts the server
with the recorded settings and runs replay.py on the group's pairs.

The database server's address is STOA_TEST_MYSQL_URL; without it tests/services.sh starts one.
Exit status: 0 when status and shape agree in all groups asked for, but for the pairs that meant.txt lists.
"""
import argparse, json, os, re, shutil, signal, subprocess, sys, tempfile, time, urllib.error, urllib.parse, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LMS, STUDIO = "http://localhost:18000", "http://localhost:18010"
COURSES = [
    ("course-v1:OpenedX+DemoX+DemoCourse", "openedx-demo-course.tar.gz"),
    ("course-v1:edX+toy+2012_Fall", "edx-platform-toy.tar.gz"),
]
INDEX = "split_modulestore_django_splitmodulestorecourseindex"
# The settings that the recorded answers show (golden/README.md).
SETTINGS = {
    "STOA_LMS_BIND": "127.0.0.1:18000",
    "STOA_STUDIO_BIND": "127.0.0.1:18010",
    "STOA_LMS_URL": LMS,
    "STOA_STUDIO_URL": STUDIO,
    "STOA_SECRET_KEY": "peer-secret-key-not-for-production",
    "STOA_JWT_SECRET_KEY": "peer-secret-key-not-for-production",
    "STOA_JWT_ISSUER": LMS + "/oauth2",
    "STOA_JWT_AUDIENCE": "openedx",
    "STOA_PLATFORM_NAME": "Peer",
    "STOA_SITE_DOMAIN": "localhost:18000",
    "STOA_LEARNING_URL": "http://localhost:2000",
    "STOA_AUTHORING_URL": "http://localhost:2001",
    "STOA_PROFILE_URL": "http://localhost:1995/u",
    "STOA_ORDER_HISTORY_URL": "http://localhost:1996",
    "STOA_ACCOUNT_URL": "http://localhost:1997",
    "STOA_AI_TRANSLATIONS_URL": "http://localhost:18760/api/v1",
    "STOA_TECH_SUPPORT_EMAIL": "technical@example.com",
    "STOA_BLOCK_LINKS_HTTPS": "true",
    "STOA_LOG_FILTER": "warn",
}


def mysql_url():
    url = os.environ.get("STOA_TEST_MYSQL_URL")
    if not url:
        out = subprocess.run(["bash", os.path.join(ROOT, "tests/services.sh"), "start"], check=True, capture_output=True, text=True).stdout
        found = re.search(r"STOA_TEST_MYSQL_URL=['\"]?([^'\"\s]+)", out)
        url = found and found.group(1)
    if not url:
        sys.exit("run.py: no database server: set STOA_TEST_MYSQL_URL or run make services")
    return url


class Database:
    """A scratch database, reached with MariaDB's own command-line client."""

    def __init__(self, url, name):
        u = urllib.parse.urlsplit(url)
        self.name = name
        self.args = ["-h", u.hostname, "-P", str(u.port or 3306), "-u", urllib.parse.unquote(u.username or "root"), "--protocol=tcp",
                     "--default-character-set=utf8mb4"] + (["-p" + urllib.parse.unquote(u.password)] if u.password else [])
        self.url = f"mysql://{u.netloc}/{name}"

    def run(self, text=None, file=None, name=True):
        command = ["mariadb", *self.args, *([self.name] if name else [])]
        subprocess.run(command, input=text, stdin=file, text=text is not None or None, check=True)

    def make(self):
        self.run(f"DROP DATABASE IF EXISTS {self.name}; CREATE DATABASE {self.name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", name=False)

    def load(self, path):
        with open(path, "rb") as f:
            self.run(file=f)

    def dump(self, path):
        with open(path, "wb") as f:
            subprocess.run(["mariadb-dump", *self.args, "--single-transaction", "--hex-blob", self.name], stdout=f, check=True)

    def drop(self):
        self.run(f"DROP DATABASE IF EXISTS {self.name}", name=False)


def environment(database, data):
    env = {k: v for k, v in os.environ.items() if not k.startswith("STOA_")}
    return {**env, **SETTINGS, "STOA_DATABASE_URL": database.url, "STOA_DATA_DIR": data}


def make_world(stoa, shared, database, folder):
    """Loads tables and rows, imports the courses; leaves a dump and a data folder to copy from."""
    database.make()
    for name in ("schema/edxapp-mysql.sql", "golden/world.sql.gz"):
        path = os.path.join(shared, name)
        if path.endswith(".gz"):
            text = subprocess.run(["gzip", "-dc", path], check=True, capture_output=True).stdout
            path = os.path.join(folder, "world.sql")
            with open(path, "wb") as f:
                f.write(text)
        with open(path, "rb") as f:
            body = b"SET FOREIGN_KEY_CHECKS=0;\n" + f.read()
        subprocess.run(["mariadb", *database.args, database.name], input=body, check=True)
    keys = ",".join(f"'{key}'" for key, _ in COURSES)
    # Their structures are made by our importer; the platform's rows point to documents that are not here.
    database.run(f"DELETE FROM {INDEX} WHERE course_id IN ({keys})")
    data = os.path.join(folder, "data-template")
    env = environment(database, data)
    subprocess.run([stoa, "migrate"], env=env, check=True, stdout=subprocess.DEVNULL)
    for key, archive in COURSES:
        subprocess.run([stoa, "course", "import", os.path.join(shared, "corpora", archive), "--into", key, "--json"], env=env, check=True,
                       stdout=subprocess.DEVNULL)
    database.dump(os.path.join(folder, "world-dump.sql"))
    return data


class Server:
    def __init__(self, stoa, env, log):
        self.log = open(log, "wb")
        self.process = subprocess.Popen([stoa, "serve"], env=env, stdout=self.log, stderr=self.log)

    def wait(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(LMS + "/heartbeat", timeout=2)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"run.py: the server does not answer; its log is {self.log.name}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def groups_of(pairs):
    seen = []
    for line in open(os.path.join(pairs, "order.txt")):
        group = line.strip().split("/")[0]
        if group and group not in seen:
            seen.append(group)
    return seen


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--stoa", required=True)
    ap.add_argument("--shared", required=True)
    ap.add_argument("--pairs")
    ap.add_argument("--only", default="")
    ap.add_argument("--json")
    ap.add_argument("--keep", help="folder for the world and logs, kept afterwards")
    ap.add_argument("-v", action="store_true")
    a = ap.parse_args()
    stoa, shared = os.path.abspath(a.stoa), os.path.abspath(a.shared)
    pairs = os.path.abspath(a.pairs or os.path.join(shared, "golden/pairs"))
    only = [o for o in a.only.split(",") if o]
    wanted = [g for g in groups_of(pairs) if not only or any(o.split("/")[0] == g for o in only)]
    folder = os.path.abspath(a.keep) if a.keep else tempfile.mkdtemp(prefix="stoa-golden-")
    os.makedirs(folder, exist_ok=True)
    database = Database(mysql_url(), f"stoa_golden_{os.getpid()}")
    rows, lines, header, agreed = [], [], None, True
    try:
        template = make_world(stoa, shared, database, folder)
        for number, group in enumerate(wanted):
            if number:
                database.make()
                database.load(os.path.join(folder, "world-dump.sql"))
            data = os.path.join(folder, "data")
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(template, data)
            server = Server(stoa, environment(database, data), os.path.join(folder, f"{group}.log"))
            try:
                server.wait()
                result = os.path.join(folder, f"{group}.json")
                asked = ",".join(o for o in only if o.split("/")[0] == group) or group
                run = subprocess.run([sys.executable, os.path.join(shared, "golden/replay.py"), "--lms", LMS, "--studio", STUDIO, "--only", asked,
                                      "--json", result, *(["-v"] if a.v else []), pairs], capture_output=True, text=True)
            finally:
                server.stop()
            out = run.stdout.splitlines()
            agreed &= run.returncode != 2
            if a.v or run.returncode == 2:
                print("\n".join(line for line in out if not line.startswith(("group ", "total "))), run.stderr, sep="\n")
            for line in out:
                header = line if line.startswith("group ") else header
                if line.startswith(group + " "):
                    lines.append(line)
            if os.path.exists(result):
                rows += json.load(open(result))
    finally:
        database.drop()
        if not a.keep:
            shutil.rmtree(folder, ignore_errors=True)
    meant = {line.strip() for line in open(os.path.join(HERE, "meant.txt")) if not line.startswith("#")}
    wrong = [row for row in rows if row["class"] in ("status", "shape") and row["pair"] not in meant]
    agreed &= not wrong
    for row in wrong[:20]:
        print(f"{row['pair']}: {row['class']} {row['at']}: {row['what']}")
    print(header or "no group")
    totals = [sum(int(line.split()[k]) for line in lines) for k in range(1, 7)]
    for line in lines:
        print(line)
    if totals:
        print(f"{'total':20} {totals[0]:6} {totals[1]:7} {totals[2]:6} {totals[3]:6} {totals[4]:6} {totals[5]:7}")
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    sys.exit(0 if agreed and lines else 1)


if __name__ == "__main__":
    main()
