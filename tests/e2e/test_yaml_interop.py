"""What `weir` writes as YAML, PyYAML (a YAML 1.1 reader) and the npm package
`yaml` (a YAML 1.2 reader) both read as the same value; and what PyYAML writes,
`weir` reads."""

import json
import math
import random
import struct

import pytest

yaml = pytest.importorskip("yaml")

from yaml_readers import (  # noqa: E402
    assert_all_same, node_reads, pyyaml_reads, tagged, weir_reads, weir_writes)

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

# Characters that mean something to YAML, or to a terminal, or to nobody.
CHARACTERS = (list("-?:,[]{}#&*!|>'\"%@`=<~+._0123456789eExXoObyYnN \\/$^")
              + list("\n\r\t\0\x07\x1b\x7f\x80\x85\x9f\xa0\u00ad\u200b\u2028\u2029\ufeff"
                     "\ufffd\ufffe\uffff\ud7ff\ue000é日😀\U00010000\U0010ffff"))

NUMBERS = [
    0, 1, -1, 7, 8, 10, 300, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -2**53 - 1,
    2**63 - 1, -2**63, 2**63, 2**64 + 1, -2**63 - 1, 10**30, 0.0, -0.0, 0.5,
    1.0, 100.0, 1e3, 1e15, 1e16, 1e17, 1e22, 1e23, 1e-4, 1e-5, 1e-7, 0.1,
    5e-324, 2.2250738585072014e-308, 2.225073858507201e-308,
    1.7976931348623157e308, -1.5e-300, 123456789.123456789]


def assert_both_read(tmp_path, values):
    """Each value as a document of its own, written and read back by both."""
    expected = [tagged(value) for value in values]
    texts = weir_writes(tmp_path, values)
    assert_all_same(pyyaml_reads(texts), expected, texts)
    assert_all_same(node_reads(texts)[0], expected, texts)
    assert_all_same(weir_reads(tmp_path, texts)[0], expected, texts)
    # The same value always gives the same bytes.
    again = [json.loads(json.dumps(value, sort_keys=True)) for value in values]
    assert weir_writes(tmp_path, again) == texts


# Strings --------------------------------------------------------------------


def test_strings_as_documents(tmp_path):
    assert_both_read(tmp_path, WORDS)


def test_strings_as_values_and_keys(tmp_path):
    assert_both_read(tmp_path, [WORDS, {word: i for i, word in enumerate(WORDS)},
                                {word: {word: [word]} for word in WORDS}])


def test_every_character(tmp_path):
    characters = [chr(c) for c in range(0x300)] + CHARACTERS
    assert_both_read(tmp_path, [
        characters, ["a" + c + "b" for c in characters],
        [c + " " + c for c in characters], {c: c for c in characters}])


def test_every_short_string_of_indicators(tmp_path):
    some = list("-?:,[]{}#&*!|>'\"%@`=<~+.01eEx_nyN \n\t")
    assert_both_read(tmp_path, [[a + b for a in some for b in some],
                                [a + b + a for a in some for b in some]])


# Numbers --------------------------------------------------------------------


def test_numbers(tmp_path):
    rng = random.Random(5)
    numbers = list(NUMBERS)
    while len(numbers) < 4000:
        bits = rng.getrandbits(64)
        number = struct.unpack("d", struct.pack("Q", bits))[0]
        numbers.append(number if math.isfinite(number) else 0.25)
        numbers.append(struct.unpack("q", struct.pack("Q", bits))[0] >> rng.randrange(64))
        # Subnormal.
        numbers.append(struct.unpack(
            "d", struct.pack("Q", rng.getrandbits(52) >> rng.randrange(52)))[0])
    assert_both_read(tmp_path, [numbers])


# Trees ----------------------------------------------------------------------


def random_string(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(WORDS)
    if kind == 1:
        return "".join(rng.choice(CHARACTERS) for _ in range(rng.randrange(12)))
    if kind == 2:
        return rng.choice(WORDS)[:20] + rng.choice(["", " ", "\n", ": ", " #"]) \
            + rng.choice(WORDS)[:20]
    return "".join(chr(rng.choice([rng.randrange(0x20, 0x7f), rng.randrange(0xd800),
                                   rng.randrange(0xe000, 0x110000)]))
                   for _ in range(rng.randrange(30)))


def random_tree(rng, depth):
    kind = rng.randrange(10 if depth > 0 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind < 6:
        return random_string(rng)
    if kind < 8:
        return [random_tree(rng, depth - 1) for _ in range(rng.randrange(5))]
    return {random_string(rng): random_tree(rng, depth - 1)
            for _ in range(rng.randrange(5))}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_random_trees(tmp_path, seed):
    rng = random.Random(seed)
    assert_both_read(tmp_path, [random_tree(rng, rng.randrange(1, 7)) for _ in range(500)])


def test_shapes(tmp_path):
    deep = "bottom"
    for i in range(60):
        deep = [deep] if i % 3 else {"k": deep, "a": []}
    assert_both_read(tmp_path, [
        [], {}, [[]], [{}], {"": []}, {"a": {}}, [[[]], [{}], [[], [[]]]],
        {"a": [], "o": {}, "n": None, "t": True, "f": False,
         "l": [[[]], [{}, {"x": [1, [2, {"y": []}]]}]],
         "deep": {"er": {"still": [{"no": "no"}, None]}}}, deep,
        None, True, False, "", 0, 0.0, -0.0])


# What an export writes ------------------------------------------------------

EXPORT = """
local cxone = require "cxone"
local json = require "weir.json"
local tenant = cxone.connect()
local out = json.array()
for i, word in ipairs(assert(json.decode(io.open(arg[1]):read "a"))) do
  local record = tenant.filters:create {
    name = "export " .. i, channel = "voice", description = "nr. " .. i,
    matchers = {
      { attribute = "a.b", operator = "equals", value = word },
      { attribute = "a.c", operator = "in", value = { word, 1.0, 1e300, json.null, true } },
    },
    target_group_id = "grp_e2e",
  }
  out[i] = {
    json = tenant.client:get(
      "/api/v2/event-processing/filters/" .. record.id,
      { query = { export_state = true } }).body,
    whole = tenant.filters:export(record, { volatile = true }),
    stable = tenant.filters:export(record.id),
  }
end
io.write(assert(json.encode(out)))
"""
VOLATILE = ["id", "etag", "status", "created_at", "updated_at", "version", "exported_at"]


def without_instant(form):
    """Two requests are not made at the same time."""
    return ["o", [pair for pair in form[1] if pair[0] != "exported_at"]]


def test_what_export_writes(tmp_path, run_weir):
    words = [word for word in WORDS if len(word) < 1000] + NUMBERS
    (tmp_path / "words.json").write_text(json.dumps(words))
    (tmp_path / "export.lua").write_text(EXPORT)
    done = run_weir("run", "--sim", str(tmp_path / "export.lua"),
                    str(tmp_path / "words.json"), timeout=120)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == len(words)
    records = [json.loads(answer["json"]) for answer in answers]
    assert [r["matchers"][0]["value"] for r in records] == words
    for name, left_out in (("whole", ["exported_at"]), ("stable", VOLATILE)):
        texts = [answer[name] for answer in answers]
        expected = [tagged({k: v for k, v in record.items() if k not in left_out})
                    for record in records]
        assert_all_same(list(map(without_instant, pyyaml_reads(texts))), expected, texts)
        assert_all_same(list(map(without_instant, node_reads(texts)[0])), expected, texts)


# What others write ----------------------------------------------------------

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
    assert_all_same(weir_reads(tmp_path, [text])[0], [tagged(value)], [text])


def test_where_the_two_versions_differ(tmp_path):
    words = list(NUMBERS_SINCE_1_2)
    # In quotes they are strings to everybody.
    texts = [yaml.safe_dump(words), yaml.safe_dump(words, default_style='"')]
    assert_all_same(weir_reads(tmp_path, texts)[0],
                    [tagged(list(NUMBERS_SINCE_1_2.values())), tagged(words)], texts)
