"""`weir check` of definitions in YAML and JSON files."""

import json

import pytest

GOOD = """\
name: gold_chat
channel: chat
target_group_id: grp_1
matchers:
  - attribute: customer.tier
    operator: equals
    value: gold
"""


@pytest.fixture
def check(run_weir, tmp_path):
    """check(text, name) → exit code, [(line, column, code, severity, message)]"""

    def run(text, name="filter.yaml"):
        path = tmp_path / name
        path.write_text(text)
        result = run_weir("check", "--json", path)
        return result.returncode, [
            (f["line"], f["column"], f["code"], f["severity"], f["message"])
            for f in json.loads(result.stdout)["findings"]]

    return run


def test_a_good_one(check):
    assert check(GOOD) == (0, [])
    assert check(GOOD, "filter.yml") == (0, [])
    as_json = {"name": "x", "channel": "chat", "target_group_id": "g", "matchers": [
        {"attribute": "a", "operator": "equals", "value": True}]}
    assert check(json.dumps(as_json, indent=1), "filter.json") == (0, [])
    assert check(json.dumps([as_json, as_json]), "filters.JSON") == (0, [])


@pytest.mark.parametrize("name, text, line, column", [
    ("f.yaml", "name: [a\nchannel: b\n", 2, 8),
    ("f.yaml", "a: 1\na: 2\n", 2, 1),
    ("f.yaml", "a: {{{", 1, 7),
    ("f.yaml", "a: 1\n---\nb: 1\n", 2, 1),
    ("f.yaml", "a: !!python/none x\n", 1, 4),
    ("f.json", '{"name": "x",\n "channel": }', 2, 13),
    ("f.json", '{"name": "x", "name": "y"}', 1, 15),
    ("f.json", "", 1, 1),
])
def test_what_cannot_be_read_has_its_place(check, name, text, line, column):
    code, findings = check(text, name)
    assert code == 4 and len(findings) == 1
    assert findings[0][2:4] == ("syntax", "error")
    assert findings[0][:2] == (line, column), findings


def test_every_fault_of_the_filter_has_its_place(check):
    code, findings = check(GOOD.replace("chat\n", "fax\n", 2).replace("equals", "eqals")
                           + "colour: red\n")
    assert code == 4
    assert [(f[:3]) for f in findings] == [
        (2, 10, "filter"), (6, 15, "filter"), (8, 9, "filter")], findings
    assert findings[1][4].startswith("/matchers/0/operator: unknown operator 'eqals'")


def test_in_json_too_and_in_a_list(check):
    code, findings = check(
        '[{"name": "é", "channel": "fax", "target_group_id": "g"},\n 7]', "f.json")
    assert code == 4
    assert [f[:3] for f in findings] == [(1, 27, "filter"), (2, 2, "filter")], findings
    # YAML cannot read this escape; the faults are still found.
    code, findings = check('{"name": "\\ud83d\\ude00", "channel": "fax"}', "f.json")
    assert code == 4 and any("/channel: unknown" in f[4] for f in findings)


@pytest.mark.parametrize("text", ["7", "just words", "null", "[1]"])
def test_what_is_no_definition(check, text):
    code, findings = check(text)
    assert code == 4
    assert "a definition is an object" in findings[0][4]


@pytest.mark.parametrize("value, other", [
    ("yes", "a boolean (true)"), ("off", "a boolean (false)"), ("0777", "an octal number"),
    ("1:30", "a number in base 60"), ("2001-01-01", "a date"), ("1_000", "a number"),
])
def test_what_yaml_1_1_reads_otherwise(check, value, other):
    assert check(GOOD.replace("gold\n", value + "\n")) == (0, [
        (7, 12, "yaml11", "note", f"a reader of YAML 1.1 takes this value for {other}")])
    assert check(GOOD.replace("gold\n", f'"{value}"\n')) == (0, [])


def test_a_key_is_told_of_too(check):
    code, findings = check(GOOD + "on: 1\n")
    assert code == 4
    assert (8, 1, "yaml11", "note",
            "a reader of YAML 1.1 takes this key for a boolean (true)") in findings


def test_json_has_no_yaml_1_1(check):
    assert check('{"name":"no","channel":"chat","target_group_id":"on"}', "f.json")[1] == []


def test_what_may_be_slow_is_a_note(check):
    code, findings = check(GOOD + """\
pattern_rules:
  - type: regex
    field: agent.skill
    pattern: "(a+)+$"
""")
    assert code == 0
    assert findings[0][:4] == (11, 14, "regex", "note")


def test_for_people(run_weir, tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text(GOOD.replace("channel: chat", "channel: no"))
    result = run_weir("check", path)
    assert result.returncode == 4
    assert "     2 | channel: no\n       |          ^^\n" in result.stdout
    assert "1 error and 1 note in 1 file" in result.stderr
