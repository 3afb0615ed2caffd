"""A window of mqlab on a display of its own, driven by real keys and clicks.

Xvfb is the display, openbox manages its windows, xdotool presses and moves; what the window shows is read from the file that
`mqlab-gui --tell` writes. Nothing here waits for a fixed time: wait() reads the file until what was expected is there.

    with Window(["scenarios/showcase.lua", "--case", "acks=all"]) as w:
        w.click(w.place("B3"))
        w.key("1")
        w.wait(lambda t: len(t["branches"]) == 2, "another future")
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MQLAB_BUILD", os.path.join(ROOT, "build", "release"))
TOOLS = ["Xvfb", "openbox", "xdotool"]
SKIPPED = 77  # SKIP_RETURN_CODE of ctest
PATIENCE_S = float(os.environ.get("MQLAB_PATIENCE_S", "60"))


class Window:
    def __init__(self, arguments, size="1280x800", folder=None):
        self.arguments, self.size = list(arguments), size
        self.given = folder
        self.processes = []

    def __enter__(self):
        self.folder = self.given or tempfile.mkdtemp(prefix="mqlab-end-to-end-")
        self.file = os.path.join(self.folder, "told.json")
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        with open(os.path.join(self.folder, "display.log"), "w") as display_log, open(os.path.join(self.folder, "window.log"), "w") as window_log:
            self.begin_with(display_log, window_log)
        self.wait(lambda t: t.get("fingerprint") or t["start_page"], "the window has come to rest")
        self.xdotool("search", "--sync", "--onlyvisible", "--name", "mqlab", "windowactivate", "--sync")

    def begin_with(self, log, window_log):
        read, write = os.pipe()
        self.start(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"], log, os.environ, pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise AssertionError("Xvfb did not start: " + self.log("display.log"))
        self.environment = dict(os.environ, DISPLAY=":" + number, HOME=self.folder, XDG_RUNTIME_DIR=self.folder, XDG_CONFIG_HOME=self.folder,
                                XDG_CACHE_HOME=self.folder, QT_QPA_PLATFORM="xcb", QT_SCALE_FACTOR="1", QT_FONT_DPI="96", LANG="C.UTF-8",
                                QT_IM_MODULE="none", QT_ACCESSIBILITY="0")
        os.chmod(self.folder, 0o700)
        self.start(["openbox", "--sm-disable"], log, self.environment)
        self.program = self.start([os.path.join(BUILD, "mqlab-gui"), *self.arguments, "--size", self.size, "--tell", self.file,
                                   "--settings", os.path.join(self.folder, "window.ini")], window_log, self.environment)

    def start(self, words, log, environment, **more):
        p = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=ROOT, **more)
        self.processes.append(p)
        return p

    def __exit__(self, *_):
        for p in reversed(self.processes):
            if p.poll() is None:
                p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if not self.given:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self, name="window.log"):
        """What the window complained about on its way: nothing, if all is well."""
        with open(os.path.join(self.folder, name)) as f:
            return f.read()

    # --- what is shown ---

    def told(self):
        """What the window told last; None before the first time."""
        try:
            with open(self.file, encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return None

    def wait(self, so, what):
        """Until `so` holds of what is told. Returns that."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            t = self.told()
            if t and so(t):
                return t
            if getattr(self, "program", None) and self.program.poll() is not None:
                raise AssertionError(f"the window ended ({self.program.returncode}) while waiting: {what}\n{self.log()}")
            time.sleep(0.02)
        t = self.told() or {}
        short = {k: v for k, v in t.items() if k not in ("canvases", "scenario", "panes", "parts", "buttons", "verdicts")}
        raise AssertionError(f"it never came: {what}\n{json.dumps(short, indent=1)}\n{self.log()}")

    def comes(self, so, seconds):
        """Whether `so` holds of what is told within these seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            t = self.told()
            if t and so(t):
                return True
            time.sleep(0.02)
        return False

    def node(self, name):
        """A node in the topology, as it is told: "broker B1, running ..."."""
        for thing in self.told()["canvases"]["topology"]["things"]:
            if thing["kind"] == "node" and thing["text"].split(",")[0].split()[-1] == name:
                return thing
        raise AssertionError(f"there is no {name} in the topology")

    def place(self, name):
        return self.node(name)["rectangle"]

    def verdict(self, anomaly):
        return next((v["verdict"] for v in self.told()["verdicts"] if v["anomaly"] == anomaly), None)

    # --- what is done ---

    def xdotool(self, *words):
        p = subprocess.run(["xdotool", *map(str, words)], env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S)
        if p.returncode != 0:
            raise AssertionError(f"xdotool {' '.join(map(str, words))}: {p.stderr}")

    @staticmethod
    def middle(rectangle):
        x, y, w, h = rectangle
        return round(x + w / 2), round(y + h / 2)

    def click(self, rectangle, button=1):
        self.xdotool("mousemove", *self.middle(rectangle), "click", button)

    def key(self, *keys):
        self.xdotool("key", *keys)

    def type(self, text):
        self.xdotool("type", "--delay", "10", "--", text)

    def drag(self, begin, end, steps=8):
        words = ["mousemove", *begin, "mousedown", 1]
        for i in range(1, steps + 1):
            words += ["mousemove", round(begin[0] + (end[0] - begin[0]) * i / steps), round(begin[1] + (end[1] - begin[1]) * i / steps), "sleep", "0.02"]
        self.xdotool(*words, "mouseup", 1)

    def go_to(self, place, so):
        """Types a place into the field `go to`, until `so` holds."""
        self.key("Escape", "g")
        self.wait(lambda t: t["keyboard"] == "Go to", "the field `go to` has the keyboard")
        self.type(place)
        self.key("Return")
        return self.wait(so, f"at {place}")


def mqlab(*arguments):
    """Runs the command line; what it printed as JSON."""
    p = subprocess.run([os.path.join(BUILD, "mqlab"), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)
    if p.returncode not in (0, 1):
        raise AssertionError(f"mqlab {' '.join(arguments)}: {p.stderr}")
    return json.loads(p.stdout)


def main():
    missing = [t for t in TOOLS if not shutil.which(t)]
    if missing:
        print(f"Skipped: {', '.join(missing)} not installed. scripts/test --screen installs what this test needs.")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
