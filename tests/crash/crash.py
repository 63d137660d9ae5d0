#!/usr/bin/env python3
"""Crash test: kill -9 during 200 concurrent submissions; after a restart every acknowledged answer is there.
Then imports killed at random moments: each leaves the old course or the new one, whole.

    crash.py --stoa bin/stoa [--rounds N]
"""
import argparse, json, os, random, subprocess, sys, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import stoa as lib

LEARNERS, PROBLEMS = 20, 10


def answers(site, folder):
    key, _ = lib.write_course(os.path.join(folder, "course"), problems=PROBLEMS)
    site.command("migrate")
    site.command("course", "import", os.path.join(folder, "course"))
    names = [f"learner{n}" for n in range(LEARNERS)]
    for name in names:
        site.command("user", "create", name, "--email", f"{name}@example.com", "--password", lib.PASSWORD)
        site.command("enroll", name, key)
    site.start()
    clients = {name: lib.Client(site).sign_in(name) for name in names}
    acknowledged, enough, lock = [], threading.Event(), threading.Lock()

    def submit(name, p):
        usage = lib.usage(key, "problem", f"p0_0_0_{p}")
        choice = f"choice_{(p + len(name)) % 3}"
        try:
            status, text = clients[name].handler(usage, "xmodule_handler/problem_check", {f"input_p0_0_0_{p}_2_1": choice})
        except OSError:
            return
        if status == 200 and json.loads(text).get("success") in ("correct", "incorrect"):
            with lock:
                acknowledged.append((name, p, choice))
                if len(acknowledged) >= 80:
                    enough.set()

    threads = [threading.Thread(target=submit, args=(name, p)) for name in names for p in range(PROBLEMS)]
    random.shuffle(threads)
    for thread in threads:
        thread.start()
    if not enough.wait(60):
        raise SystemExit(f"only {len(acknowledged)} answers were acknowledged")
    site.kill()
    for thread in threads:
        thread.join()
    site.start()
    lost = []
    for name, p, choice in acknowledged:
        _, text = clients[name].handler(lib.usage(key, "problem", f"p0_0_0_{p}"), "xmodule_handler/problem_get", {})
        html = json.loads(text)["html"]
        at = html.find(f'value="{choice}"')
        tag = html[html.rfind("<", 0, at):html.find(">", at)]
        if at < 0 or "checked" not in tag:
            lost.append((name, p, choice))
    site.stop()
    print(f"answers: {len(acknowledged)} acknowledged before the kill, {len(lost)} lost")
    return not lost


def imports(site, folder, rounds):
    key, blocks = lib.write_course(os.path.join(folder, "old"), chapters=3, sequentials=3, verticals=3, problems=3, mark="old")
    lib.write_course(os.path.join(folder, "new"), chapters=3, sequentials=3, verticals=3, problems=3, mark="new")
    site.command("course", "import", os.path.join(folder, "old"))
    begun = time.monotonic()
    site.command("course", "import", os.path.join(folder, "old"))
    whole = time.monotonic() - begun
    seen = {"old": 0, "new": 0}
    good = True
    for n in range(rounds):
        process = subprocess.Popen([site.stoa, "course", "import", os.path.join(folder, "new")], env=site.env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(whole * n / rounds)
        process.kill()
        process.wait()
        shown = json.loads(site.command("course", "show", key, "--json").splitlines()[-1])
        marks = {(b["display_name"] or "").split()[0] for b in shown["blocks"] if b["display_name"]}
        marks &= {"old", "new"}
        reachable = sum(1 for b in shown["blocks"])
        if len(marks) != 1 or reachable < blocks:
            print(f"import killed after {whole * n / rounds:.3f} s: {marks}, {reachable} of {blocks} blocks")
            good = False
            continue
        mark = marks.pop()
        seen[mark] += 1
        if mark == "new":
            site.command("course", "import", os.path.join(folder, "old"))
    print(f"imports: {rounds} killed; old course kept {seen['old']} times, new one whole {seen['new']} times")
    return good


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--stoa", required=True)
    ap.add_argument("--rounds", type=int, default=20)
    a = ap.parse_args()
    with tempfile.TemporaryDirectory(prefix="stoa-crash-") as folder:
        site = lib.Site(a.stoa, folder)
        try:
            results = [answers(site, folder), imports(site, folder, a.rounds)]
        finally:
            site.stop()
    lib.finish(sum(results), len(results) - sum(results))


if __name__ == "__main__":
    main()
