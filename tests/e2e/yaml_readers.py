"""Values through weir, PyYAML (YAML 1.1) and the npm package `yaml` (1.2), in
one form that loses nothing: what JSON or JavaScript would make the same (1 and
1.0, 2**53 and 2**53 + 1, 0 and -0.0) stays different."""

import json
import os
import pathlib
import struct
import subprocess

import yaml

WEIR = os.environ.get("WEIR", "build/weir")
NODE_READER = pathlib.Path(__file__).with_name("read_yaml.js")

ENCODE = """
local json, yaml = require "weir.json", require "weir.yaml"
local out = json.array()
for i, value in ipairs(assert(json.decode(io.read "a"))) do
  out[i] = assert(yaml.encode(value))
end
io.write(assert(json.encode(out)))
"""
DECODE = """
local json, yaml = require "weir.json", require "weir.yaml"
local out = json.array()
for i, text in ipairs(assert(json.decode(io.read "a"))) do
  local value, e = yaml.decode(text)
  out[i] = value == nil and { error = e.message } or { value = value }
end
io.write(assert(json.encode(out)))
"""


def tagged(value):
    """The form: null, booleans, ["s", text], ["i", digits], ["f", bits],
    ["a", items], ["o", pairs]; anything else is not JSON's."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return ["s", value]
    if isinstance(value, int):
        return ["i", str(value)]
    if isinstance(value, float):
        return ["f", struct.pack(">d", value).hex()]
    if isinstance(value, list):
        return ["a", [tagged(item) for item in value]]
    if isinstance(value, dict):
        return ["o", sorted([key, tagged(item)] for key, item in value.items())]
    return [type(value).__name__, str(value)]


def sort_pairs(form):
    """The same form with the pairs of objects in one order."""
    if isinstance(form, list) and form and form[0] == "a":
        return ["a", [sort_pairs(item) for item in form[1]]]
    if isinstance(form, list) and form and form[0] == "o":
        return ["o", sorted([key, sort_pairs(item)] for key, item in form[1])]
    return form


def run_weir(tmp_path, script, value, env=None):
    """One process for all of it: JSON in, JSON out."""
    path = tmp_path / "convert.lua"
    path.write_text(script)
    done = subprocess.run(
        [WEIR, "run", str(path)], input=json.dumps(value).encode(),
        capture_output=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def weir_writes(tmp_path, values):
    return run_weir(tmp_path, ENCODE, values)


def weir_reads(tmp_path, texts):
    """For each text its tagged value, or None where it is refused, and the
    messages."""
    answers = run_weir(tmp_path, DECODE, texts)
    return ([tagged(a["value"]) if "value" in a else ["refused"] for a in answers],
            [a.get("error", "") for a in answers])


def pyyaml_reads(texts):
    return [tagged(yaml.load(text, Loader=yaml.SafeLoader)) for text in texts]


def node_reads(texts):
    """As weir_reads, by the YAML 1.2 core schema."""
    done = subprocess.run(
        ["node", str(NODE_READER)], input=json.dumps(texts).encode(),
        capture_output=True, timeout=300,
        env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    assert done.returncode == 0, done.stderr.decode()
    answers = json.loads(done.stdout)
    return ([sort_pairs(a["value"]) if "value" in a else ["refused"] for a in answers],
            [a.get("error", "") for a in answers])


def assert_all_same(got, expected, shown):
    wrong = [f"{text[:300]!r}: {str(a)[:300]}, not {str(b)[:300]}"
             for a, b, text in zip(got, expected, shown) if a != b]
    assert not wrong, "\n".join(wrong[:10])
    assert len(got) == len(expected)
