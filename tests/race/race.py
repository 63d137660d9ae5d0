#!/usr/bin/env python3
"""Race test: one process publishes a course over and over while the server answers readers of its outline page, blocks
and unit page. No answer may be older than a publish that was acknowledged before the request began, and none may mix
two versions.

    race.py --stoa bin/stoa [--rounds 10000] [--readers 3]
"""
import argparse, os, re, sys, tempfile, threading, urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import stoa as lib

MARK = re.compile(r"\bv(\d+)\b(?= (?:c\d|s\d|v\d|h\d|p\d|of|course))")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--stoa", required=True)
    ap.add_argument("--rounds", type=int, default=10000)
    a = ap.parse_args()
    with tempfile.TemporaryDirectory(prefix="stoa-race-") as folder:
        site = lib.Site(a.stoa, folder)
        course = os.path.join(folder, "course")
        shape = dict(chapters=2, sequentials=2, verticals=2, problems=1, htmls=1)
        key, blocks = lib.write_course(course, mark="v1", **shape)
        assert blocks <= 40, blocks
        site.command("migrate")
        site.command("course", "import", course)
        # One person a reader: signing in ends the same person's other sessions.
        for name in ("outline", "blocks", "unit", "xblock"):
            site.command("user", "create", name, "--email", f"{name}@example.com", "--password", lib.PASSWORD)
            site.command("enroll", name, key)
        site.start()
        published, wrong, done = [1], [], threading.Event()
        counts = {}

        def read(path, name):
            client = lib.Client(site).sign_in(name)
            while not done.is_set():
                least = published[0]
                status, text = client.send("GET", path)
                marks = {int(m) for m in MARK.findall(text)}
                counts[name] = counts.get(name, 0) + 1
                if status != 200 or len(marks) != 1 or min(marks) < least:
                    wrong.append(f"{name}: status {status}, versions {sorted(marks)}, published before the request: {least}")
                    done.set()

        quoted = urllib.parse.quote(key)
        paths = {
            "outline": f"/learning/course/{key}/home",
            "blocks": f"/api/courses/v1/blocks/?course_id={quoted}&username=blocks&depth=all&requested_fields=children",
            "unit": f"/learning/course/{key}/{lib.usage(key, 'sequential', 's0_0')}/{lib.usage(key, 'vertical', 'v0_0_0')}",
            "xblock": f"/xblock/{lib.usage(key, 'vertical', 'v0_0_0')}",
        }
        readers = [threading.Thread(target=read, args=(path, name)) for name, path in paths.items()]
        for reader in readers:
            reader.start()
        try:
            for n in range(2, a.rounds + 2):
                if done.is_set():
                    break
                lib.write_course(course, mark=f"v{n}", **shape)
                site.command("course", "import", course)
                published[0] = n
        finally:
            done.set()
            for reader in readers:
                reader.join()
            site.stop()
        print(f"{published[0] - 1} publishes; answers read: " + ", ".join(f"{k} {v}" for k, v in sorted(counts.items())))
        for line in wrong:
            print("WRONG", line)
        lib.finish(len(paths) - len(wrong), len(wrong))


if __name__ == "__main__":
    main()
