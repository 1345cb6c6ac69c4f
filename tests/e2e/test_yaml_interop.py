"""What `weir` writes as YAML, PyYAML (a YAML 1.1 reader) reads as the same
value, and what PyYAML writes, `weir` reads."""

import json
import math
import os
import random
import struct
import subprocess

import pytest

yaml = pytest.importorskip("yaml")

WEIR = os.environ.get("WEIR", "build/weir")

TO_YAML = """
local json, yaml = require "weir.json", require "weir.yaml"
io.write(assert(yaml.encode(assert(json.decode(io.read "a")))))
"""
TO_JSON = """
local json, yaml = require "weir.json", require "weir.yaml"
io.write(assert(json.encode(assert(yaml.decode(io.read "a")))))
"""

# Each is something else than a string to some reader of YAML when written
# plain.
WORDS = (
    "|~|null|Null|NULL|true|True|TRUE|false|yes|Yes|YES|no|No|NO|on|On|ON|off"
    "|Off|OFF|y|Y|n|N|none|0|1|-1|+1|1.0|.5|5.|1e3|1E3|1e+3|1.0e+3|1E400|-0"
    "|0x1F|0X1f|0o17|017|0777|08|0b101|1_000|1_0.5|12:30|1:30|190:20:30|1:30.5"
    "|2001-01-01|2001-01-01 12:00:00|2001-01-01T12:00:00Z|.inf|-.inf|+.INF|.nan"
    "|.NaN|=|<<|-|?|:|- a|? a|: a|a: b|a:|a #b|#a|&a|*a|!a|!!str a|>|%a|@a|`a"
    "|[a|]|{a|}|,|'|\"|'a'|\"a\"|---|--- a|...| a|a | |\\|\\n|$|word|two words"
    "|flt_1|a.b-c|customer.tier|agent.skill_id"
).split("|") + [
    "|", "a|b", "\n", "a\n", "\na", "a\nb", "a\n\n\nb ", "\t", "a\tb", "\0",
    "a\0b", "\x07", "\x1b[0m", "\x7f", "\x85", "\xa0", "\u2028", "\u2029",
    "\ufeff", "\ufffd", "\uffff", "é", "日本語", "😀", "\r", "\r\n",
    "long " * 100, "x" * 2000, "no\u2028", "é" * 200,
]


def weir(tmp_path, script, text):
    path = tmp_path / "convert.lua"
    path.write_text(script)
    done = subprocess.run(
        [WEIR, "run", str(path)], input=text.encode(), capture_output=True,
        timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def same(a, b):
    """Equal in type too, floats bit by bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    return a == b


def assert_same(got, expected):
    for i, (a, b) in enumerate(zip(got, expected)):
        assert same(a, b), f"{i}: {b!r} became {a!r}"
    assert len(got) == len(expected)


def test_strings_as_values(tmp_path):
    text = weir(tmp_path, TO_YAML, json.dumps(WORDS))
    assert_same(yaml.safe_load(text), WORDS)


def test_strings_as_keys(tmp_path):
    value = {word: i for i, word in enumerate(WORDS)}
    got = yaml.safe_load(weir(tmp_path, TO_YAML, json.dumps(value)))
    assert same(got, value)


def test_numbers(tmp_path):
    rng = random.Random(5)
    numbers = [0, 1, -1, 2**53 + 1, -2**63, 2**63 - 1, 0.0, 0.5, 1e3, 1e16,
               1e22, 1e-7, 5e-324, 1.7976931348623157e308, -1.5e-300, 100.0]
    while len(numbers) < 3000:
        bits = struct.pack("Q", rng.getrandbits(64))
        number = struct.unpack("d", bits)[0]
        numbers.append(number if math.isfinite(number) else 0.25)
        numbers.append(struct.unpack("q", bits)[0])
    text = weir(tmp_path, TO_YAML, json.dumps(numbers))
    assert_same(yaml.safe_load(text), numbers)


def test_shapes(tmp_path):
    value = {"a": [], "o": {}, "n": None, "t": True, "f": False,
             "l": [[[]], [{}, {"x": [1, [2, {"y": []}]]}]],
             "deep": {"er": {"still": [{"no": "no"}, None]}}}
    text = weir(tmp_path, TO_YAML, json.dumps(value))
    assert same(yaml.safe_load(text), value)
    assert text == weir(tmp_path, TO_YAML, json.dumps(value, sort_keys=True))


# Strings to YAML 1.1, which PyYAML therefore writes plain; numbers to 1.2.
NUMBERS_SINCE_1_2 = {"1e3": 1000.0, "1E3": 1000.0, "1e+3": 1000.0, "0o17": 15}


@pytest.mark.parametrize("style", [None, '"', "'", "|", ">"])
def test_what_pyyaml_writes(tmp_path, style):
    # PyYAML itself does not get U+0085 back in every style.
    words = [w for w in WORDS if "\0" not in w and w not in ("\x85", "1E400")
             and w not in NUMBERS_SINCE_1_2]
    value = {"words": words, "n": [1, 1.5, 1e300], "none": None}
    text = yaml.safe_dump(value, default_style=style, allow_unicode=True)
    assert yaml.safe_load(text) == value
    if style is not None:
        # A style makes PyYAML tag what is not a string: both understand it.
        assert "!!int" in text
    got = json.loads(weir(tmp_path, TO_JSON, text))
    assert_same(got.pop("words"), value.pop("words"))
    assert same(got, value)


def test_where_the_two_versions_differ(tmp_path):
    words = list(NUMBERS_SINCE_1_2)
    text = yaml.safe_dump(words)
    assert_same(json.loads(weir(tmp_path, TO_JSON, text)),
                list(NUMBERS_SINCE_1_2.values()))
    # In quotes they are strings to everybody.
    text = yaml.safe_dump(words, default_style='"')
    assert_same(json.loads(weir(tmp_path, TO_JSON, text)), words)
