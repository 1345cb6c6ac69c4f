"""A terminal to type at: a pty with a screen behind it."""

import os
import re
import time

import pexpect
import pyte
import pytest


# Only ends a hang; a loaded machine may need much of it.
PATIENCE = float(os.environ.get("PATIENCE", 60))


class Terminal:
    """The program on a pty, and the screen that a person would see."""

    def __init__(self, weir, args, env, cwd, rows, columns):
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.child = pexpect.spawn(
            weir, [str(a) for a in args], env=env, cwd=cwd, echo=False,
            dimensions=(rows, columns), timeout=30)

    def read(self):
        """Takes in what has been written; False when that was nothing."""
        try:
            data = self.child.read_nonblocking(65536, timeout=0.05)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        self.raw += data
        # pyte knows no bracketed paste; it is of no matter to the screen.
        self.stream.feed(re.sub(rb"\x1b\[\?2004[hl]", b"", data))
        return True

    def lines(self):
        """The screen's lines, without what is blank at their ends."""
        return [line.rstrip() for line in self.screen.display]

    def all_lines(self):
        """Those that have scrolled away, too."""
        old = ["".join(row[x].data for x in range(self.screen.columns)).rstrip()
               for row in self.screen.history.top]
        return old + self.lines()

    def text(self):
        return "\n".join(self.all_lines())

    def wait(self, condition, what, seconds=PATIENCE):
        """Until condition(self) holds; the bound only ends a hang."""
        end = time.monotonic() + seconds
        while not condition(self):
            if not self.read() and time.monotonic() > end:
                raise AssertionError(
                    f"{what}; the screen:\n" + "\n".join(self.all_lines()))
        return self

    def see(self, pattern, seconds=PATIENCE):
        """Until the pattern is on the screen, or has been."""
        return self.wait(lambda t: re.search(pattern, t.text(), re.M),
                         f"not seen: {pattern}", seconds)

    def cursor_line(self):
        return self.lines()[self.screen.cursor.y]

    def prompt(self, name="sim"):
        """Until an empty prompt waits for input."""
        return self.wait(lambda t: t.cursor_line() == f"{name}>",
                         f"no prompt {name}>")

    def type(self, text):
        self.child.send(text)
        return self

    def enter(self, text, name="sim"):
        """Types a line and waits until the prompt is back."""
        self.type(text)
        self.wait(lambda t: t.is_typed(text), f"not echoed: {text}")
        before = self.prompts(name)
        self.type("\r")
        self.wait(lambda t: t.prompts(name) > before, f"not taken: {text}")
        return self.prompt(name)

    def is_typed(self, text):
        """Whether the cursor stands behind the text, however it is wrapped."""
        shown = "".join(self.lines()[:self.screen.cursor.y + 1]).replace(" ", "")
        return shown.endswith(text.split("\n")[-1].replace(" ", ""))

    def prompts(self, name):
        return sum(line.startswith(f"{name}>") for line in self.all_lines())

    def output_of(self, text, name="sim"):
        """The lines that entering `text` adds above the new prompt."""
        before = len([l for l in self.all_lines() if l])
        self.enter(text, name)
        lines = [l for l in self.all_lines() if l]
        return lines[before:-1]

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def end(self):
        """Ctrl-D, and the exit code."""
        self.type("\x04")
        return self.ended()

    def ended(self):
        """Until the program is gone; its exit code."""
        self.wait(lambda t: not t.child.isalive(), "it does not end")
        while self.read():
            pass
        return self.child.exitstatus


@pytest.fixture
def terminal(weir, clean_env, tmp_path):
    """terminal(*args, env=, rows=, columns=, program=) → Terminal."""
    running = []

    def start(*args, env=None, rows=24, columns=80, program=None):
        t = Terminal(program or weir, args, {**clean_env, "TERM": "xterm-256color", **(env or {})},
                     str(tmp_path), rows, columns)
        running.append(t)
        return t

    yield start
    for t in running:
        t.child.close(force=True)
