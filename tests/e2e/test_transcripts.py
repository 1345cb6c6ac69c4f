"""The sessions that the READMEs show are what a terminal shows."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def sessions(path):
    text = (ROOT / path).read_text()
    return re.findall(r"^```session\n(.*?)^```$", text, re.M | re.S)


def open_brackets(lines):
    text = "\n".join(lines)
    return text.count("{") - text.count("}") + len(re.findall(r"\bdo$", text, re.M)) \
        - len(re.findall(r"^end$", text, re.M))


def steps(session):
    """(input, expected lines) of each prompt."""
    lines, out = session.splitlines(), []
    while lines:
        typed = [lines.pop(0).removeprefix("sim> ")]
        while open_brackets(typed) > 0:
            typed.append(lines.pop(0))
        expected = []
        while lines and not lines[0].startswith("sim> "):
            expected.append(lines.pop(0))
        out.append(("\n".join(typed), expected))
    return out


def pattern(expected):
    """A line of "…" stands for any lines, "…" in a line for any text."""
    parts = []
    for line in expected:
        parts.append(r"(?:.*\n)*?" if line == "…" else
                     ".*".join(map(re.escape, line.split("…"))) + r"(?:\n.*)??\n")
    return "".join(parts)


@pytest.mark.parametrize("path", ["README.md", "examples/README.md"])
def test_a_session_as_it_is_shown(terminal, path):
    found = sessions(path)
    assert found, f"no session in {path}"
    for session in found:
        t = terminal("--sim").prompt()
        for typed, expected in steps(session):
            before = len([line for line in t.all_lines() if line])
            if typed.endswith("<Tab>"):
                text = typed.removesuffix("<Tab>")
                t.type(text + "\t").wait(lambda t: t.text().count("sim> " + text) > 1, typed)
                t.type("\x15").prompt()
            else:
                t.type(f"\x1b[200~{typed}\x1b[201~").wait(lambda t: t.is_typed(typed), typed)
                prompts = t.prompts("sim")
                t.type("\r").wait(lambda t: t.prompts("sim") > prompts, typed).prompt()
            shown = [line for line in t.all_lines() if line][before - 1:-1]
            wanted = ["sim> " + typed.replace("<Tab>", "")] + [line for line in expected if line]
            wanted = [line for block in wanted for line in block.split("\n")]
            assert re.fullmatch(pattern(wanted), "\n".join(shown) + "\n"), \
                "wanted:\n" + "\n".join(wanted) + "\nshown:\n" + "\n".join(shown)
        t.end()
