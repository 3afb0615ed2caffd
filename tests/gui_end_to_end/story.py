#!/usr/bin/env python3
"""A story from the first click to the command line: break a run by hand, write the fault back as Lua, get the same run without a window."""
import os
import unittest

from driver import Window, main, mqlab

SHOWCASE = "scenarios/showcase.lua"


class Story(unittest.TestCase):
    def open(self, case):
        w = Window([SHOWCASE, "--case", case, "--layout", "debug"]).__enter__()
        self.addCleanup(w.__exit__)
        self.assertEqual(w.told()["fingerprint"], mqlab("run", SHOWCASE, "--case", case, "--json")["runs"][0]["fingerprint"])
        return w

    def new_future(self, w, before, act):
        """Does `act`; another future is shown, and runs differently from that moment on."""
        act()
        t = w.wait(lambda t: len(t["branches"]) == len(before["branches"]) + 1 and t["branch"] == len(before["branches"]) and all(b["state"] == "ready" for b in t["branches"]), "another future")
        self.assertNotEqual(t["fingerprint"], before["fingerprint"])
        self.assertEqual(t["branches"][:-1], before["branches"], "the futures that were there are as they were")
        return t

    def write_back_and_run(self, w, case, wanted):
        """Ctrl+B, save as another file, run that without a window: the same fingerprint."""
        before = w.told()
        w.key("ctrl+b")
        t = w.wait(lambda t: t["scenario"]["changed"] and all(x in t["scenario"]["text"] for x in wanted), "the faults stand in the text")
        self.assertEqual(t["fingerprint"], before["fingerprint"])
        written = os.path.join(w.folder, "written.lua")
        w.key("ctrl+shift+s")
        w.wait(lambda t: t["dialog"] == "Save the scenario", "a dialog asks for a file")
        w.key("ctrl+a")
        w.type(written)
        w.key("Return")
        t = w.wait(lambda t: not t["dialog"] and t["scenario"]["path"] == written and not t["scenario"]["changed"] and len(t["branches"]) == 1, "saved, and run from the file")
        self.assertEqual(t["fingerprint"], before["fingerprint"], "what was written back is another run")
        with open(written, encoding="utf-8") as f:
            self.assertEqual(f.read(), t["scenario"]["text"])
        alone = mqlab("run", written, "--case", case, "--seed", t["seed"], "--json")["runs"][0]
        self.assertEqual(alone["fingerprint"], before["fingerprint"], "the command line runs something else")
        self.assertEqual(w.log(), "", "the window complained")
        self.assertEqual({v["anomaly"]: v["verdict"] for v in t["verdicts"]}, {v["anomaly"]: v["verdict"] for v in alone["verdicts"]})

    def test_two_brokers_are_killed_and_the_promise_holds(self):
        w = self.open("acks=all")
        self.assertEqual(w.verdict("lost-message"), "holds")
        w.go_to("20s", lambda t: 19e9 < t["time"] <= 20e9)
        w.click(w.place("B3"))
        t = w.wait(lambda t: t["entity"]["kind"] == "node", "B3 is in focus")
        t = self.new_future(w, t, lambda: w.key("1"))
        self.assertIn("B3", t["branches"][1]["label"])
        w.click(w.place("B2"), button=3)
        t = w.wait(lambda t: any(i["text"] == "kill B2" for i in t["menu"]), "the menu of B2")
        item = next(i["rectangle"] for i in t["menu"] if i["text"] == "kill B2")
        t = self.new_future(w, t, lambda: w.click(item))
        self.assertEqual(w.verdict("lost-message"), "holds")
        self.write_back_and_run(w, "acks=all", ['kill { who = "B3"', 'kill { who = "B2"'])

    # A leader that dies before it is cut off can't acknowledge alone.
    def test_a_kill_changes_the_verdict(self):
        w = self.open("acks=1")
        self.assertEqual(w.verdict("lost-message"), "violated")
        w.go_to("9500ms", lambda t: 8e9 < t["time"] <= 9.5e9)
        w.click(w.place("B1"))
        t = w.wait(lambda t: t["entity"]["kind"] == "node", "B1 is in focus")
        self.new_future(w, t, lambda: w.key("1"))
        self.assertEqual(w.verdict("lost-message"), "holds")
        # Both futures stay.
        w.key("ctrl+z")
        t = w.wait(lambda t: t["fingerprint"] == t["branches"][0]["fingerprint"], "without the fault again")
        self.assertEqual(w.verdict("lost-message"), "violated")


if __name__ == "__main__":
    main()
