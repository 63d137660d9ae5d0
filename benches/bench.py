#!/usr/bin/env python3
"""Load benchmark of the release binary on generated data. Prints, for each hot route, requests a second and latency at
concurrency 1, 8 and 64, the server's CPU time a request as a ratio to an empty route of the same run, and SELECTs a request;
then start time, memory, import and export, page weight. Machines differ: compare ratios, not seconds.

    bench.py --stoa bin/stoa [--quick] [--json FILE]
"""
import argparse, gzip, http.client, json, os, re, resource, sqlite3, statistics, subprocess, sys, tempfile, threading, time, urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import stoa as lib

TICK = os.sysconf("SC_CLK_TCK")
EMPTY = "/stoa/empty"


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1024


def selects(site):
    text = lib.Client(site).send("GET", "/metrics")[1]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("stoa_http_statements_total{"))


class Load:
    """Sends the same request from several keep-alive connections for a while."""

    def __init__(self, site, path, method="GET", body=None, headers=None):
        self.site, self.path, self.method, self.body, self.headers = site, path, method, body, headers or {}

    def run(self, concurrency, seconds):
        times, end, bad = [], time.monotonic() + seconds, []

        def work(n):
            connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
            while time.monotonic() < end:
                body = self.body(n) if callable(self.body) else self.body
                headers = self.headers(n) if callable(self.headers) else self.headers
                path = self.path(n) if callable(self.path) else self.path
                begun = time.monotonic()
                connection.request(self.method, path, body=body, headers=headers)
                answer = connection.getresponse()
                answer.read()
                times.append(time.monotonic() - begun)
                if answer.status != 200:
                    bad.append(answer.status)
            connection.close()

        before = cpu(self.site.process.pid)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(concurrency)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        spent = cpu(self.site.process.pid) - before
        if bad:
            raise SystemExit(f"{self.path}: {len(bad)} answers were not 200, the first was {bad[0]}")
        times.sort()
        pick = lambda q: times[min(len(times) - 1, int(q * len(times)))] * 1000
        return {"rate": len(times) / seconds, "p50": pick(.5), "p99": pick(.99), "cpu": spent / len(times) * 1000, "count": len(times)}


def measured(command, env):
    """Runs a command: seconds, CPU seconds, peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    error = process.stderr.read().decode()
    if status:
        raise SystemExit(f"{' '.join(command)}: {error}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def populate(site, keys, learners, modules):
    """Writes learners, enrollments and problem states straight into the store."""
    db = sqlite3.connect(os.path.join(site.folder, "data", "stoa.db"))
    db.execute("PRAGMA synchronous=OFF")
    columns = [r[1] for r in db.execute("PRAGMA table_info(auth_user)")]
    model = dict(zip(columns, db.execute("SELECT * FROM auth_user WHERE username='bench0'").fetchone()))
    now = "2026-01-01 00:00:00.000000"
    users = []
    for n in range(1, learners):
        users.append(tuple({**model, "id": model["id"] + n, "username": f"bench{n}", "email": f"bench{n}@example.com"}[c] for c in columns))
    db.executemany(f"INSERT INTO auth_user ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})", users)
    first = model["id"]
    db.executemany("INSERT INTO student_courseenrollment (course_id, created, is_active, mode, user_id) VALUES (?,?,1,'audit',?)",
                   [(keys[n % len(keys)], now, first + n) for n in range(1, learners)])
    rows = ((
        "problem", lib.usage(keys[n % len(keys)], "problem", f"p0_{n // learners % 5}_0_0"), json.dumps({"seed": 1, "attempts": 1}), 1.0, 1.0, "na", now, now,
        keys[n % len(keys)], first + n % learners) for n in range(modules))
    db.executemany("INSERT OR IGNORE INTO courseware_studentmodule (module_type, module_id, state, grade, max_grade, done, created, modified, course_id, "
                   "student_id) VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
    db.commit()
    db.close()


def weight(site, client, path):
    """Bytes (gzip) of a page and of our own styles and scripts that it links."""
    page = client.send("GET", path)[1]
    own = re.findall(r'<(?:link[^>]+rel="?stylesheet"?[^>]+href|script[^>]+src)="([^"]+)"', page)
    sizes = {"html": len(gzip.compress(page.encode(), 6))}
    for url in own:
        if url.startswith("/") and not url.startswith(("/asset", "/c4x", "/static/xblock")):
            sizes[url] = len(gzip.compress(client.send("GET", url)[1].encode(), 6))
    return sizes


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--stoa", required=True)
    ap.add_argument("--quick", action="store_true", help="little data and short runs")
    ap.add_argument("--json")
    a = ap.parse_args()
    courses, learners, modules, seconds = (3, 500, 2000, 1.0) if a.quick else (10, 20000, 200000, 4.0)
    out = {}
    with tempfile.TemporaryDirectory(prefix="stoa-bench-") as folder:
        site = lib.Site(a.stoa, folder)
        site.command("migrate")
        keys = []
        for n in range(courses):
            # 10 sections of 5 subsections, 5 units and 7 components: about 2,000 blocks.
            key, blocks = lib.write_course(os.path.join(folder, f"course{n}"), chapters=10, sequentials=5, verticals=5, problems=2, htmls=5, number=f"C{n}")
            out[f"import {blocks} blocks"] = measured([site.stoa, "course", "import", os.path.join(folder, f"course{n}")], site.env)
            keys.append(key)
        out["export"] = measured([site.stoa, "course", "export", keys[0], os.path.join(folder, "out.tar.gz")], site.env)
        demo = os.path.join(os.environ.get("STOA_SHARED", os.path.join(ROOT, "..", "shared")), "corpora", "openedx-demo-course.tar.gz")
        if os.path.exists(demo):
            out["import of the Open edX demo course"] = measured([site.stoa, "course", "import", demo], site.env)
        site.command("user", "create", "bench0", "--email", "bench0@example.com", "--password", lib.PASSWORD)
        for key in keys:
            site.command("enroll", "bench0", key)
        populate(site, keys, learners, modules)
        start = site.start()
        try:
            client = lib.Client(site).sign_in("bench0")
            cookie = "; ".join(f"{c.name}={c.value}" for c in client.jar)
            headers = {"Cookie": cookie, "Accept": "text/html", "Accept-Encoding": "identity"}
            post = {**headers, "X-CSRFToken": client.token(), "Content-Type": "application/x-www-form-urlencoded", "Referer": site.url + "/"}
            key = keys[0]
            vertical, sequential = lib.usage(key, "vertical", "v0_0_0"), lib.usage(key, "sequential", "s0_0")
            unit = f"/learning/course/{key}/{sequential}/{vertical}"
            blocks = f"/api/courses/v1/blocks/?course_id={urllib.parse.quote(key)}&username=bench0&depth=all&requested_fields=children"
            problem = lib.usage(key, "problem", "p0_0_0_0")
            routes = [
                ("empty route", Load(site, EMPTY, headers=headers)),
                ("outline page", Load(site, f"/learning/course/{key}/home", headers=headers)),
                ("blocks, depth all", Load(site, blocks, headers=headers)),
                ("unit page", Load(site, unit, headers=headers)),
                ("xblock unit", Load(site, f"/xblock/{vertical}", headers=headers)),
                ("problem submit", Load(site, f"/courses/{key}/xblock/{problem}/handler/xmodule_handler/problem_check", "POST",
                                        "input_p0_0_0_0_2_1=choice_1", post)),
            ]
            reference = None
            print(f"{'route':20} {'':>4} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8} {'× empty':>8} {'SELECTs':>8}")
            for name, load in routes:
                load.run(1, 0.3)
                before = selects(site)
                counted = load.run(1, seconds / 2)
                statements = (selects(site) - before) / counted["count"]
                for concurrency in (1, 8, 64):
                    row = load.run(concurrency, seconds)
                    reference = reference or row["cpu"]
                    out[f"{name} c{concurrency}"] = {**row, "ratio": row["cpu"] / reference, "selects": statements}
                    print(f"{name:20} c{concurrency:<3} {row['rate']:9.0f} {row['p50']:8.2f} {row['p99']:8.2f} {row['cpu']:8.3f} "
                          f"{row['cpu'] / reference:8.1f} {statements:8.1f}")
            for key in keys[1:3]:
                client.send("GET", f"/learning/course/{key}/home")
            memory = resident(site.process.pid)
            sizes = weight(site, client, unit)
        finally:
            site.stop()
    print(f"\nfirst answer after start   {start:.2f} s")
    print(f"resident after the load    {memory:.0f} MB")
    for name in [k for k in out if isinstance(out[k], tuple)]:
        wall, used, peak = out[name]
        print(f"{name:38} {wall:6.2f} s, {used:.2f} s CPU, {peak:.0f} MB at most")
    print(f"unit page, first view      {sum(sizes.values()) / 1024:.1f} KB gzip: " + ", ".join(f"{k} {v / 1024:.1f}" for k, v in sizes.items()))
    if a.json:
        json.dump(out, open(a.json, "w"), indent=1)


if __name__ == "__main__":
    main()
