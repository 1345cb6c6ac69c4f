"""What `weir` reads as YAML is the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema), as the npm package `yaml` reads
it too; where it is not, that is a choice, stated here."""

import random

import pytest

yaml = pytest.importorskip("yaml")

from yaml_readers import assert_all_same, node_reads, tagged, weir_reads  # noqa: E402

REFUSED = ["refused"]

# Plain scalars: each by itself, in a block list, in a flow list, as a value.
SCALARS = (
    "~|null|Null|NULL|nULL|Nul|true|True|TRUE|tRUE|false|False|FALSE|yes|Yes|YES|no|No|NO"
    "|on|On|off|OFF|y|Y|n|N|none|None|nil|undefined|0|1|-1|+1|7|00|+0|0b101|0B1|0o17|0O17"
    "|0o8|0o|-0o7|0x1F|0x1f|0X1F|0xg|0x|-0x1|0xDEADBEEF|0x7fffffffffffffff|0xffffffffffffffff"
    "|0o777777777777777777777|1_000|1,000|12345678901234567890|9223372036854775807"
    "|9223372036854775808|-9223372036854775808|9007199254740993|1.0|1.|.5|-.5|+.5|-1.5|+1.5|0.1"
    "|00.5|01.5|1e3|1E3|1e+3|1e-3|1.5e3|1.e3|.5e3|1e|e1|1e3.5|1.5.5|..5|.|+|-.|-+1|+-1|--1"
    "|1e22|1e23|5e-324|1.7976931348623157e308|12:30|1:30:45|190:20:30|1:30.5|2001-01-01"
    "|2001-01-01T12:00:00Z|2001-01-01 12:00:00|12e03|0e0|-0.0|0.0|1.0e+300|=|<|a|a b|a.b|a-b|a_b"
    "|é|日本|😀|a:b|a#b|http://x.test:80/y?z#w|a'b|a\"b|$x|%x y|(x)|^a.*$|a,b|1 2|3 apples|v1.2.3"
    "|1.2.3.4|10.0.0.0/8|::1x|+49123|0123-456|1-2|1/2|50%|Infinity|inf|nan|NaN|-Infinity|.Nan|.iNF"
    "|null null|true.|truefalse|0x1F.|1e3x|0.0.0|~~|~a|1'|1\"").split("|")

# Digits with a leading zero are octal to YAML 1.1 and decimal to 1.2: a
# string is the only reading that nobody takes for another number. JSON has no
# infinity and no NaN, and -0 is a float there.
CHOSEN_SCALARS = {
    "00": "00", "017": "017", "0777": "0777", "08": "08", "-017": "-017", "+0123": "+0123",
    "-0": -0.0,
    ".inf": REFUSED, ".Inf": REFUSED, ".INF": REFUSED, "+.inf": REFUSED, "-.inf": REFUSED,
    ".nan": REFUSED, ".NaN": REFUSED, ".NAN": REFUSED,
    "0x10000000000000000": REFUSED, "0o2000000000000000000000": REFUSED,
}

TEXTS = [
    # Quotes.
    "'a'", "''", "'it''s'", "'a\n b'", "'a\n\n b'", "'  a  '", "'\\n'", "'null'", "'1'", "'#'",
    '"a"', '""', '"a\\"b"', '"\\0\\a\\b\\t\\n\\v\\f\\r\\e\\ \\"\\/\\\\\\N\\_\\L\\P"',
    '"\\x41\\u00e9\\U0001F600"', '"a\n b"', '"a\\\n b"', '"a\n\n\n b"', '"a  \n  b"', '"1.0"', '"~"',
    '- "a": 1', "'a': 'b'",
    # Plain, over several lines, with comments.
    "a\nb", "a\n\nb", "a: b\n  c", "a: b\n\n  c", "a # b", "a #b", "a# b", "a: b # c", "# a\nb",
    "a:\n  # c\n  b", "- a\n# c\n- b", "a: b: c", "a:b", "a : b", "- - a", "- - - a\n    - b",
    "-a", "- -a", "-", "- ", "-\n-", "a:", "a: ", "a:\nb:", "? a\n: b", "? a", "? a\n? b",
    # Block scalars.
    "|\n a\n", "|\n a\n b\n", "|\n  a\n   b\n", "|-\n a\n", "|+\n a\n\n\n", "|\n a\n\n b\n\n", "|2\n   a\n  b\n",
    "|1\n  a\n", "|\n\n a\n", "| # c\n a\n", "|-", "|+\n", "|\n", "|\n \n a\n", "|\n\ta\n",
    ">\n a\n", ">\n a\n b\n", ">\n a\n\n b\n", ">\n a\n  b\n c\n", ">-\n a\n b\n", ">+\n a\n\n", ">\n a\n\n\n b\n",
    ">2\n    a\n  b\n", ">\n\n a\n", "a: |\n b\nc: >\n d\n", "- |\n a\n- >-\n b\n", "a: |\n  null\nb: |-\n  1\n",
    "a: |+\n  b\n\nc: d\n", "|\n é日😀\n", "|\n # a\n", "|\n a: b\n", "a: >\n  b\n\n   c\n\n  d\n",
    # Flow.
    "[]", "{}", "[a, b]", "[a, b, ]", "[ a , b ]", "[a\n,b]", "[[a], [b]]", "{a: b}", "{a: b, }", "{a: b, c: d}",
    "{a: [b, {c: d}]}", "[{a: b}, {c: d}]", "[a: b, c: d]", "[a, b: c]", "{a, b}", "{a: , b: }", "{'a': 1}",
    '{"a":1}', '{"a": [1,2,{"b":null}]}', "{a: 'b', c: \"d\"}", "[null, ~, true, 1, 1.5, 0x10, '1', \"1\"]",
    "[,]", "[a,,b]", "{,}", "[a", "{a: b", "]", "}", "[a]]", "{a: b}}", "[a}", "{a]", "[a b]", "[a #b\n]",
    "{a: b c}", "{a b: c}", "[-1, - a]", "{? a : b}", "[? a : b]",
    # Blocks.
    "a: b\nc: d", "a:\n  b: c\n  d: e", "a:\n- b\n- c", "a:\n  - b\n  - c", "- a: b\n  c: d\n- e", "- a:\n    b: c",
    "-  a\n-  b", "a:\n   b: c\nd: e", " a: b\n c: d", "  - a\n  - b", "a: b\n c: d", "a:\n b: c\n  d: e",
    "- a\n - b", "- a\nb: c", "a: b\n- c", "a:\n\tb", "\ta: b", "a: b\n\n\nc: d\n\n", "a:   b", "a b: c d",
    # Anchors and aliases.
    "- &x a\n- *x", "a: &x b\nc: *x", "a: &x [1, 2]\nb: *x", "a: &x {b: c}\nd: [*x, *x]", "&x a: b\nc: *x",
    "a: &x b\n*x : c", "- &x a\n- &x b\n- *x", "&a b", "a: &x\nb: *x", "- &x\n  a: b\n- *x", "*x", "- *x\n- &x a",
    "&a-b_1 c", "- &é a\n- *é",
    # Tags.
    "!!str 1", "!!str null", "!!str", "!!str ''", "!!int 1", "!!int 0x1F", "!!float 1.5", "!!null ~", "!!null null", "!!null ''",
    "!!bool true", "!!map {a: b}", "!!seq [a]", "!!str [a]", "!!int a", "!!bool 1", "! a", "! 1", "!<tag:yaml.org,2002:str> 1",
    "a: !!str 1\nb: !!int 2", "!!str &x a", "&x !!str a",
    # Documents.
    "--- a", "---\na: b", "--- |\n a\n", "--- [a]", "a\n...", "---\na\n...\n", "%YAML 1.2\n---\na", "--- # c\na", "---\n---\n",
    "a\n---\nb", "", "# a", "\n\n", "---", "...", "--- \n...", "a\n...\nb", "%YAML 1.1\n---\nyes",
    # Keys.
    "a: 1\na: 2", "{a: 1, a: 2}", "a: 1\n'a': 2", "a:\n  b: 1\nc:\n  b: 2", "'': 1", "\"a\\nb\": 1", "a: {b: 1}\nA: 2",
    "é: 1", "😀: 1", "a b c: 1", "a.b: 1", "a/b: 1", "'1': a", "'null': a", "'a: b': c",
    # Indicators.
    "@a", "`a", "%a", "&", "*", "!", "|a", ">a", "a: @b", "a: %b", "a: `b", "- ? a", ": a", "a: - b", "a: ? b", "- :", "-:",
    "a: [", "a: ]", "a: }", "a,b", "a: b, c", "a: b]", "a: &", "'a", '"a', "'a' b", '"a" b', "a: 'b' c", "'a': b: c", '"\\q"',
    '"\\x4"', '"\\u12"', "a\tb", "a:\tb", "-\ta", "a: b\t# c", "a\u00a0b", "a\u2028b", "\ufeffa: b", "a: b\r\nc: d\r\n", "a: b\rc: d",
]

# Where the two part, it is libyaml: stricter about tabs and about names of
# anchors, and right about a lone carriage return, which ends a line.
CHOSEN_TEXTS = {
    "[1,000, 1,000]": [1, "000", 1, "000"],
    "[::1x, ::1x]": REFUSED,
    "|\n\ta\n": REFUSED,
    "\ta: b": REFUSED,
    "-\ta": REFUSED,
    "- &é a\n- *é": REFUSED,
    "...": REFUSED,
    "a: b\rc: d": {"a": "b", "c": "d"},
}

# Refused by us alone, as they become no JSON, or two different ones.
REFUSED_BY_US = {
    "<<: a": "merge keys (<<) are no part of YAML 1.2",
    "a: &x {b: 1}\nc:\n  <<: *x": "merge keys (<<) are no part of YAML 1.2",
    "1: a": "a key must be a string; this is a number",
    "~: a": "a key must be a string; this is null",
    "true: a": "a key must be a string; this is a boolean",
    "? [a]\n: b": "a key must be a string; this is an array",
    "? {a: b}\n: c": "a key must be a string; this is an object",
    "a: !x b": "unknown tag",
    "!!binary aGk=": "unknown tag",
    "!!set {a, b}": "unknown tag",
    "!!omap [a: 1]": "unknown tag",
    "!!timestamp 2001-01-01": "unknown tag",
    "!!python/object:os.system x": "unknown tag",
    "&a [*a]": "stands inside its own anchor",
    "&a {b: *a}": "stands inside its own anchor",
}


def placed(scalar):
    return [scalar, f"- {scalar}", f"a: {scalar}", f"[{scalar}, {scalar}]"]


def chosen_texts():
    """Each text of a choice with what it is to us."""
    out = {text: REFUSED if value is REFUSED else tagged(value)
           for text, value in CHOSEN_TEXTS.items()}
    for scalar, value in CHOSEN_SCALARS.items():
        values = [value, [value], {"a": value}, [value, value]]
        for text, whole in zip(placed(scalar), values):
            out[text] = REFUSED if value is REFUSED else tagged(whole)
    return out


def assert_read_as_agreed(tmp_path, texts):
    chosen = chosen_texts()
    ours = weir_reads(tmp_path, texts)[0]
    theirs = node_reads(texts)[0]
    expected = [chosen.get(text, form) for text, form in zip(texts, theirs)]
    assert_all_same(ours, expected, texts)


def test_plain_scalars(tmp_path):
    scalars = list(dict.fromkeys(SCALARS + list(CHOSEN_SCALARS)))
    assert_read_as_agreed(tmp_path, [t for scalar in scalars for t in placed(scalar)])


def test_texts(tmp_path):
    assert_read_as_agreed(tmp_path, TEXTS)


def test_a_choice_is_one(tmp_path):
    """No difference is stated that is none any more."""
    chosen = chosen_texts()
    texts = list(chosen)
    same = [text for text, form in zip(texts, node_reads(texts)[0]) if form == chosen[text]]
    assert same == []


def test_what_we_alone_refuse_says_why(tmp_path):
    texts = list(REFUSED_BY_US)
    forms, why = weir_reads(tmp_path, texts)
    assert forms == [REFUSED] * len(texts)
    for text, message in zip(texts, why):
        assert REFUSED_BY_US[text] in message, text
        assert message.startswith("line "), message


def test_random_documents_of_the_other_writer(tmp_path):
    """Flow and block, quoted and plain, as PyYAML mixes them."""
    rng = random.Random(12)
    words = [s for s in SCALARS if s] + ["a b", "x: y", " ", "\n", "a\nb", "#", "- "]

    def tree(depth):
        kind = rng.randrange(8 if depth else 4)
        if kind < 3:
            return rng.choice(words)
        if kind == 3:
            return rng.choice([None, True, 7, -2.5, 2**53 + 1])
        if kind < 6:
            return [tree(depth - 1) for _ in range(rng.randrange(4))]
        return {rng.choice(words): tree(depth - 1) for _ in range(rng.randrange(4))}

    # PyYAML writes for readers of 1.1: strings that are numbers to 1.2 alone
    # stay plain. So the other 1.2 reader says what each text is.
    texts = [yaml.safe_dump(tree(rng.randrange(5)), width=rng.choice([20, 80, 1000]),
                            default_flow_style=rng.choice([None, True, False]),
                            indent=rng.choice([2, 4, 7]), allow_unicode=rng.choice([True, False]),
                            explicit_start=rng.choice([True, False]))
             for _ in range(800)]
    theirs = node_reads(texts)[0]
    ours = weir_reads(tmp_path, texts)[0]
    compared = [(a, b, text) for a, b, text in zip(ours, theirs, texts)
                if not any(mark in text for mark in ("00", "01", "-0", "Infinity"))
                and b != REFUSED]
    assert len(compared) > 500
    a, b, shown = zip(*compared)
    assert_all_same(a, b, shown)
