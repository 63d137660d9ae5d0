"""What the tests of the whole program share: a server process, a signed-in client and generated courses. Standard library alone."""
import http.client, http.cookiejar, json, os, shutil, signal, socket, subprocess, sys, time, urllib.error, urllib.parse, urllib.request

PASSWORD = "Passw0rd-test"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Site:
    """A data folder with its own ports, and the program run on it."""

    def __init__(self, stoa, folder):
        self.stoa, self.folder = os.path.abspath(stoa), folder
        self.port, self.process = free_port(), None
        env = {k: v for k, v in os.environ.items() if not k.startswith("STOA_")}
        self.env = {**env, "STOA_DATA_DIR": os.path.join(folder, "data"), "STOA_LMS_BIND": f"127.0.0.1:{self.port}",
                    "STOA_STUDIO_BIND": f"127.0.0.1:{free_port()}", "STOA_LOG_FILTER": "warn"}
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self, *args):
        return subprocess.run([self.stoa, *args], env=self.env, check=True, capture_output=True, text=True).stdout

    def start(self, seconds=30):
        self.log = open(os.path.join(self.folder, "server.log"), "ab")
        self.process = subprocess.Popen([self.stoa, "serve"], env=self.env, stdout=self.log, stderr=self.log)
        begun = time.monotonic()
        while time.monotonic() < begun + seconds:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(self.url + "/heartbeat", timeout=5).read()
                return time.monotonic() - begun
            except OSError:
                time.sleep(0.01)
        with open(self.log.name) as f:
            raise SystemExit("the server does not answer:\n" + f.read()[-3000:])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.log.close()


class Client:
    """A browser without a window: cookies, CSRF and sign-in."""

    def __init__(self, site):
        self.site, self.jar = site, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def token(self):
        return next((c.value for c in self.jar if c.name == "csrftoken"), "")

    def send(self, method, path, form=None):
        data = urllib.parse.urlencode(form, doseq=True).encode() if form is not None else None
        headers = {"X-CSRFToken": self.token(), "Referer": self.site.url + "/"}
        request = urllib.request.Request(self.site.url + path, data=data, headers=headers, method=method)
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def sign_in(self, name, password=PASSWORD):
        self.send("GET", "/csrf/api/v1/token")
        status, text = self.send("POST", "/api/user/v1/account/login_session/", {"email": f"{name}@example.com", "password": password})
        if status != 200:
            raise SystemExit(f"sign-in of {name}: {status} {text[:300]}")
        return self

    def handler(self, usage, name, form):
        """Calls a handler of a block: status and body text."""
        course = "course-v1:" + usage.split(":", 1)[1].split("+type@")[0]
        return self.send("POST", f"/courses/{course}/xblock/{usage}/handler/{name}", form)


def write(folder, path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


PROBLEM = """<problem display_name="{name}" max_attempts="">
  <multiplechoiceresponse>
    <label>Which of these? {name}</label>
    <choicegroup type="MultipleChoice">
      <choice correct="false">one</choice>
      <choice correct="true">two</choice>
      <choice correct="false">three</choice>
    </choicegroup>
  </multiplechoiceresponse>
</problem>
"""


def write_course(folder, chapters=1, sequentials=1, verticals=1, problems=1, htmls=1, mark="v0", org="Test", number="Gen", run="R"):
    """Writes a course as OLX; every name and text carries `mark`. Returns its key text and the number of blocks."""
    shutil.rmtree(folder, ignore_errors=True)
    write(folder, "course.xml", f'<course url_name="{run}" org="{org}" course="{number}"/>')
    count = 1
    top = []
    for c in range(chapters):
        inner = []
        for s in range(sequentials):
            units = []
            for v in range(verticals):
                leaves = []
                for h in range(htmls):
                    name = f"h{c}_{s}_{v}_{h}"
                    write(folder, f"html/{name}.xml", f'<html filename="{name}" display_name="{mark} {name}"/>')
                    write(folder, f"html/{name}.html", f"<p>text {mark} of {name}</p>")
                    leaves.append(f'<html url_name="{name}"/>')
                for p in range(problems):
                    name = f"p{c}_{s}_{v}_{p}"
                    write(folder, f"problem/{name}.xml", PROBLEM.format(name=f"{mark} {name}"))
                    leaves.append(f'<problem url_name="{name}"/>')
                count += len(leaves) + 1
                write(folder, f"vertical/v{c}_{s}_{v}.xml", f'<vertical display_name="{mark} v{c}_{s}_{v}">{"".join(leaves)}</vertical>')
                units.append(f'<vertical url_name="v{c}_{s}_{v}"/>')
            count += 1
            write(folder, f"sequential/s{c}_{s}.xml", f'<sequential display_name="{mark} s{c}_{s}">{"".join(units)}</sequential>')
            inner.append(f'<sequential url_name="s{c}_{s}"/>')
        count += 1
        write(folder, f"chapter/c{c}.xml", f'<chapter display_name="{mark} c{c}">{"".join(inner)}</chapter>')
        top.append(f'<chapter url_name="c{c}"/>')
    write(folder, f"course/{run}.xml", f'<course display_name="{mark} course" start="2020-01-01T00:00:00Z">{"".join(top)}</course>')
    return f"course-v1:{org}+{number}+{run}", count


def usage(key, kind, name):
    return f"block-v1:{key.split(':', 1)[1]}+type@{kind}+block@{name}"


def finish(passed, failed):
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
