#!/usr/bin/env python3
"""Runs the recorded cases of the units that are whole and fails on any difference that vectors-meant.txt does not list.

    vectors.py SHARED PROGRAM
"""
import json, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def lines(name):
    return [line.strip() for line in open(os.path.join(HERE, name)) if line.strip()]


def main():
    shared, program = sys.argv[1:]
    with tempfile.NamedTemporaryFile("r", suffix=".json") as out:
        folder = os.path.join(shared, "golden", "vectors")
        run = subprocess.run([sys.executable, os.path.join(folder, "check.py"), "--command", os.path.abspath(program), "--only",
                              ",".join(lines("vectors-whole.txt")), "--json", out.name, folder], capture_output=True, text=True)
        print(run.stdout)
        rows = json.load(open(out.name))
    meant = set(lines("vectors-meant.txt"))
    wrong = [row for row in rows if row["case"] not in meant]
    for row in wrong:
        print("differs:", row)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
