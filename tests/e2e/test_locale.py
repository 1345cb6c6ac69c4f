"""A script that changes its locale changes no number: not in JSON, YAML, in a
filter, nor in what is sent."""

import subprocess

import pytest

SCRIPT = """
assert(os.setlocale("de_DE.UTF-8", "all"), "no locale")
assert(("%.1f"):format(1.5) == "1,5", "the locale has no effect")
local cxone = require "cxone"
local filter = require "weir.filter"
local json, yaml = require "weir.json", require "weir.yaml"

for _, x in ipairs { 1.5, -0.1, 1e300, 5e-324, 123456.789, 1.0, 2.0 ^ 63, 1e21, 0.1 + 0.2 } do
  local text = json.encode(x)
  assert(not text:find ",", text)
  assert(json.decode(text) == x, text)
  assert(not yaml.encode(x):find ",", text)
  assert(yaml.decode(yaml.encode(x)) == x, text)
end
assert(json.decode "1.5" == 1.5 and yaml.decode "1.5" == 1.5 and yaml.decode "1e3" == 1000.0)
assert(not json.decode "1,5" and yaml.decode "1,5" == "1,5")
assert(json.decode "36893488147419103232" > 1.5)
assert(json.decode "36893488147419103232":float() == 2.0 ^ 65)

local definition = {
  name = "decimal", channel = "voice", target_group_id = "grp_e2e",
  matchers = {
    { attribute = "a", operator = "greater_than", value = 1.5 },
    { attribute = "b", operator = "less_than", value = "2.5" },
  },
}
assert(filter.check(definition))
definition.matchers[2].value = "2,5"
assert(filter.check(definition) ~= true, "2,5 was taken for a number")
definition.matchers[2].value = "2.5"

local tenant = cxone.connect()
local record = tenant.filters:deploy(definition, { interval = 0.05 })
assert(record.matchers[1].value == 1.5)
tenant.filters:update(record, { description = "x" })
assert(tenant.filters:export(record.id):find("value: 1.5\\n", 1, true))
assert(type(tenant.filters:metrics(record.id).match_ratio) == "number")
print "done"
"""


@pytest.fixture
def german(tmp_path):
    """The environment of a machine that has a locale with a decimal comma."""
    made = subprocess.run(
        ["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8",
         str(tmp_path / "de_DE.UTF-8")], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    # The C library keeps its copy of LOCPATH to the end.
    return {"LOCPATH": str(tmp_path), "ASAN_OPTIONS": "detect_leaks=0"}


def test_a_decimal_comma_reaches_no_number(tmp_path, run_weir, german):
    script = tmp_path / "locale.lua"
    script.write_text(SCRIPT)
    done = run_weir("run", "--sim", script, env=german)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"


def test_nor_does_that_of_the_environment(tmp_path, run_weir, german):
    script = tmp_path / "environment.lua"
    script.write_text('print(require "weir.json".encode(1.5), 1.5, ("%.1f"):format(1.5))')
    done = run_weir("run", script, env={**german, "LC_ALL": "de_DE.UTF-8"})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1.5\t1.5\t1.5\n"
