#!/usr/bin/env python3
"""Real input: drags, wheels, keys, bursts."""
import unittest

from driver import Window, main


class Input(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.w = Window(["scenarios/showcase.lua", "--case", "acks=1", "--layout", "debug"]).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.w.__exit__()

    def tearDown(self):
        self.assertEqual(self.w.log(), "", "the window complained")

    def setUp(self):
        # From the same place: in the middle of the run, the keyboard on the time line. By way of its beginning, so that what is told
        # is not of the test before.
        w = self.w
        w.key("Escape")
        w.wait(lambda t: not t["dialog"] and not t["menu"], "nothing is open")
        x, y, width, height = w.told()["parts"]["time_slider"]
        w.click([x, y, 20, height])
        w.wait(lambda t: t["keyboard"] == "Time line" and t["time"] < t["end"] / 20, "the beginning of the run")
        w.click([x, y, width, height])
        w.wait(lambda t: t["keyboard"] == "Time line" and abs(t["time"] - t["end"] / 2) < t["end"] / 20, "the middle of the run")

    def test_the_time_line_is_scrubbed_by_a_drag(self):
        w = self.w
        x, y, width, height = w.told()["parts"]["time_slider"]
        before = w.told()
        w.drag((round(x + width * 0.25), y + height // 2), (round(x + width * 0.75), y + height // 2))
        t = w.wait(lambda t: abs(t["time"] / t["end"] - 0.75) < 0.05, "three quarters")
        self.assertNotEqual(t["event"], before["event"])
        self.assertEqual(t["fingerprint"], before["fingerprint"])

    def test_stops_and_commas_step(self):
        w = self.w
        n = w.told()["event"]
        w.key("period", "period", "period")
        w.wait(lambda t: t["event"] == n + 3, "three events on")
        w.key("comma")
        w.wait(lambda t: t["event"] == n + 2, "one back")

    def test_the_wheel_zooms_and_a_drag_pans(self):
        w = self.w
        before = w.told()["view"]
        x, y, width, height = w.told()["canvases"]["spacetime"]["rectangle"]
        at = (round(x + width * 0.6), round(y + height * 0.5))
        w.xdotool("mousemove", *at, "click", 4)
        near = w.wait(lambda t: t["view"]["to"] - t["view"]["from"] < (before["to"] - before["from"]) * 0.9, "nearer")
        v = near["view"]
        w.drag(at, (at[0] - 80, at[1]))
        t = w.wait(lambda t: t["view"]["from"] > v["from"], "later")
        length = v["to"] - v["from"]
        self.assertAlmostEqual(t["view"]["to"] - t["view"]["from"], length, delta=length * 0.001)
        self.assertEqual(t["event"], near["event"], "a drag is no click")
        w.xdotool("mousemove", *at, *["click", 5] * 8)
        w.wait(lambda t: t["view"]["to"] - t["view"]["from"] >= (before["to"] - before["from"]) * 0.99, "the whole run again")

    def test_what_is_typed_into_the_text_is_text(self):
        w = self.w
        before = w.told()
        typed = "1 . , v n m g / ? ["
        w.click(w.told()["parts"]["editor"])
        w.key("ctrl+Home")
        w.type("-- " + typed)
        w.wait(lambda t: typed in t["scenario"]["text"], "the text is there")
        # No key of the screen has an é: xdotool gives it one for a moment, which a busy window may learn of too late.
        for _ in range(10):
            w.type("é")
            if w.comes(lambda t: typed + "é" in t["scenario"]["text"], seconds=3):
                break
        w.key("space", "Return")
        t = w.wait(lambda t: typed + "é" in t["scenario"]["text"], "the letter without a key")
        self.assertTrue(t["scenario"]["changed"])
        for what in ("event", "branches", "notes", "playing", "dialog", "fingerprint"):
            self.assertEqual(t[what], before[what], what)

    def test_the_palette_finds_a_command(self):
        w = self.w
        n = w.told()["event"]
        w.key("ctrl+k")
        w.wait(lambda t: t["dialog"] == "Commands" and t["keyboard"] == "Commands", "the palette")
        w.type("step forward")
        w.key("Return")
        w.wait(lambda t: not t["dialog"] and t["event"] == n + 1, "the command was carried out")

    def test_a_burst_of_clicks_loses_none(self):
        w = self.w
        n = w.told()["event"]
        x, y = w.middle(w.told()["buttons"]["run.forward"])
        w.xdotool("mousemove", x, y, *["click", 1] * 25)
        w.wait(lambda t: t["event"] == n + 25, "25 steps for 25 clicks")

    def test_a_burst_of_clicks_on_a_picture_loses_none(self):
        w = self.w
        names = ["B1", "B2", "B3", "P1", "C"] * 3
        number = {n: w.node(n)["a"] for n in names}
        words = []
        for n in names:
            words += ["mousemove", *w.middle(w.place(n)), "click", 1]
        w.xdotool(*words)
        w.wait(lambda t: t["entity"]["kind"] == "node" and t["entity"]["a"] == number["C"], "the last one clicked is in focus")
        # Each click is a place that was looked at: one goes back through all of them.
        for n in names[-2::-1]:
            w.key("alt+Left")
            w.wait(lambda t: t["entity"]["kind"] == "node" and t["entity"]["a"] == number[n], f"back to {n}")


if __name__ == "__main__":
    main()
