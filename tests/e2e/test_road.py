"""The road of a filter from outside: the demo, the examples, a tenant by
environment, and what each fault of the world does to a script."""

import json
import pathlib
import re
import textwrap

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

DEFINITION = """
local cxone = require "cxone"
local function definition(name)
  return {
    name = name, channel = "voice",
    matchers = {
      { attribute = "customer.tier", operator = "equals", value = "gold" },
    },
    target_group_id = "grp_e2e",
  }
end
"""


def script(tmp_path, text, name="script.lua"):
    path = tmp_path / name
    path.write_text(DEFINITION + textwrap.dedent(text))
    return str(path)


# The demo ------------------------------------------------------------------


def run_demo(run_weir, folder, *options):
    folder.mkdir()
    result = run_weir("run", "--sim", *options,
                      str(EXAMPLES / "deploy_filter.lua"), cwd=folder)
    assert result.returncode == 0, result.stderr
    return result, (folder / "filter_state_export.yaml").read_bytes()


def test_demo_shows_the_whole_road(run_weir, tmp_path):
    result, exported = run_demo(run_weir, tmp_path / "a")
    out = result.stdout
    assert re.search(r"^deployed  flt_\S+ is ACTIVE$", out, re.M)
    assert re.search(r"^member    flt_\S+$", out, re.M)
    assert "updated   duration above 240 s" in out
    assert "merged    /description, which somebody else had changed" in out
    assert re.search(r"^hit rate  \d+ hits, ", out, re.M)
    assert len(re.findall(r"^audit     ", out, re.M)) >= 4
    # Nothing was lost: the colleague's field and ours are both in the state.
    text = exported.decode()
    assert "reviewed by quality" in text
    assert re.search(r"value: 240$", text, re.M)
    # Waiting was visible, on stderr only.
    assert "PENDING_ACTIVATION" in result.stderr
    assert "PENDING_ACTIVATION" not in out


def test_demo_writes_the_same_bytes_every_time(run_weir, tmp_path):
    _, first = run_demo(run_weir, tmp_path / "a", "--sim-seed", "7")
    _, second = run_demo(run_weir, tmp_path / "b", "--sim-seed", "7")
    assert first == second


def test_demo_runs_unchanged_against_a_server(run_weir, sim, tmp_path):
    result = run_weir("run", str(EXAMPLES / "deploy_filter.lua"),
                      env=sim.env, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "is ACTIVE" in result.stdout
    # Nobody interfered there, so nothing was merged.
    assert "merged" not in result.stdout
    assert (tmp_path / "filter_state_export.yaml").exists()


def test_demo_without_a_tenant_says_what_is_missing(run_weir, tmp_path):
    result = run_weir("run", str(EXAMPLES / "deploy_filter.lua"), cwd=tmp_path)
    assert result.returncode == 5
    assert result.stdout == ""
    for name in ("CXONE_TENANT", "CXONE_CLIENT_ID", "CXONE_CLIENT_SECRET"):
        assert name in result.stderr
    assert "weir run --sim" in result.stderr


def test_only_what_is_missing_is_named(run_weir, tmp_path):
    result = run_weir("run", str(EXAMPLES / "deploy_filter.lua"),
                      env={"CXONE_TENANT": "acme", "CXONE_CLIENT_ID": "me",
                           "CXONE_CLIENT_SECRET": ""}, cwd=tmp_path)
    assert result.returncode == 5
    assert "CXONE_CLIENT_SECRET is not set" in result.stderr
    assert "CXONE_TENANT" not in result.stderr


def test_plain_http_beyond_loopback_is_refused(run_weir, tmp_path):
    result = run_weir("run", str(EXAMPLES / "deploy_filter.lua"),
                      env={"CXONE_TENANT": "acme", "CXONE_CLIENT_ID": "me",
                           "CXONE_CLIENT_SECRET": "a-real-secret",
                           "CXONE_BASE_URL": "http://tenant.example",
                           "CXONE_TOKEN_URL": "http://tenant.example/token"},
                      cwd=tmp_path)
    assert result.returncode == 5
    assert "CXONE_BASE_URL" in result.stderr
    assert "https" in result.stderr
    assert "allow_plain_http" in result.stderr
    assert "a-real-secret" not in result.stderr


RUNNABLE = sorted(p.name for p in EXAMPLES.glob("*.lua")
                  if not p.name.endswith(".sim.lua")
                  and p.name != "definitions.lua")


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_example_runs(run_weir, tmp_path, name):
    result = run_weir("run", "--sim", str(EXAMPLES / name), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout != ""


def test_examples_readme_names_every_file():
    text = (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.glob("*.lua"):
        assert f"`{path.name}`" in text


# Faults, and what the script then saw -------------------------------------------

LIST = """
local ok, e = pcall(function()
  local tenant = cxone.connect { retry = { base = 0.05, cap = 3 }%s }
  local n = 0
  for _ in tenant.filters:list() do n = n + 1 end
  return n
end)
print(ok and "ok " .. e or e.code .. " " .. tostring(e.attempts) .. " " .. e.message)
"""


def listed(run_weir, sim, tmp_path, options=""):
    result = run_weir("run", script(tmp_path, LIST % options), env=sim.env)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_429_is_waited_out_as_the_server_asks(run_weir, sim, tmp_path, form):
    sim.fault(kind="rate", call="list", retry_after=1, date=form == "date")
    assert listed(run_weir, sim, tmp_path) == "ok 0"
    calls = [r["status"] for r in sim.log() if r.get("call") == "list"]
    assert calls == [429, 200]


def test_429_for_ever_ends_with_the_figure(run_weir, sim, tmp_path):
    sim.fault(kind="rate", call="list", retry_after=0, count=100)
    out = listed(run_weir, sim, tmp_path)
    assert out.startswith("rate 4 ")
    assert "429" in out


def test_retry_after_beyond_the_cap_gives_up_at_once(run_weir, sim, tmp_path):
    sim.fault(kind="rate", call="list", retry_after=600)
    out = listed(run_weir, sim, tmp_path)
    assert out.startswith("rate 1 ")
    assert "600" in out


def test_5xx_on_a_read_is_repeated(run_weir, sim, tmp_path):
    sim.fault(kind="status", call="list", status=503, count=2)
    assert listed(run_weir, sim, tmp_path) == "ok 0"
    sim.fault(kind="status", call="list", status=500, count=100)
    assert listed(run_weir, sim, tmp_path).startswith("server 4 ")


def test_a_dropped_connection_on_a_read_is_repeated(run_weir, sim, tmp_path):
    sim.fault(kind="drop", call="list")
    assert listed(run_weir, sim, tmp_path) == "ok 0"
    sim.fault(kind="drop", call="list", count=100)
    assert listed(run_weir, sim, tmp_path).startswith("transport 4 ")


def test_an_expired_token_is_renewed_once(run_weir, sim, tmp_path):
    sim.fault(kind="expired", call="list")
    assert listed(run_weir, sim, tmp_path) == "ok 0"
    assert sim.state()["tokens"] == 2
    sim.fault(kind="expired", call="list", count=100)
    assert listed(run_weir, sim, tmp_path).startswith("auth ")


def test_a_slow_server_meets_the_deadline(run_weir, sim, tmp_path):
    sim.fault(kind="slow", call="list", seconds=30)
    out = listed(run_weir, sim, tmp_path, ", timeout = 0.5")
    assert out.startswith("timeout ")


def test_an_endless_cursor_is_named(run_weir, sim, tmp_path):
    sim.fault(kind="endless_cursor", call="list")
    out = listed(run_weir, sim, tmp_path)
    assert out.startswith("protocol ")
    assert "cursor" in out


def test_wrong_credentials_end_with_exit_5(run_weir, sim, tmp_path):
    env = dict(sim.env, CXONE_CLIENT_SECRET="wrong")
    result = run_weir("run", str(EXAMPLES / "deploy_filter.lua"), env=env,
                      cwd=tmp_path)
    assert result.returncode == 5
    assert "invalid_client" in result.stderr
    assert "deploy_filter.lua:" in result.stderr


def test_a_lost_answer_to_a_create_is_ambiguous(run_weir, sim, tmp_path):
    sim.fault(kind="lost", call="create")
    result = run_weir("run", script(tmp_path, """
        local ok, e = pcall(function()
          return cxone.connect().filters:create(definition "once")
        end)
        print(ok, e.code)
        """), env=sim.env)
    assert result.stdout.split() == ["false", "ambiguous"], result.stderr
    assert sim.state()["creates"] == 1


def test_the_access_key_grant_works(run_weir, sim, tmp_path):
    env = dict(sim.env, CXONE_ACCESS_KEY_ID="key-id",
               CXONE_ACCESS_KEY_SECRET="key-secret")
    result = run_weir("run", script(tmp_path, """
        print(#cxone.connect().auth:token() > 0)
        """), env=env)
    assert result.stdout == "true\n", result.stderr


# Over time, and many at once --------------------------------------------------------


def test_a_token_of_two_seconds_lasts_a_run_of_ten(run_weir, sim, tmp_path):
    sim.config(token_life=2)
    result = run_weir("run", script(tmp_path, """
        local task = require "weir.task"
        local tenant = cxone.connect()
        for _ = 1, 20 do
          for _ in tenant.filters:list() do end
          task.sleep(0.5)
        end
        print "done"
        """), env=sim.env, timeout=60)
    assert result.stdout == "done\n", result.stderr
    assert [r for r in sim.log() if r["status"] == 401] == []
    assert 5 <= sim.state()["tokens"] <= 12


def test_fifty_tasks_make_one_token_call(run_weir, sim, tmp_path):
    result = run_weir("run", script(tmp_path, """
        local task = require "weir.task"
        local tenant = cxone.connect()
        local work = {}
        for i = 1, 50 do work[i] = i end
        local lists = task.map(work, { limit = 50 }, function()
          local n = 0
          for _ in tenant.filters:list() do n = n + 1 end
          return n
        end)
        print(#lists)
        """), env=sim.env)
    assert result.stdout == "50\n", result.stderr
    assert sim.state()["tokens"] == 1


def test_two_writers_lose_no_field(run_weir, sim, tmp_path):
    result = run_weir("run", script(tmp_path, """
        local task = require "weir.task"
        local one, two = cxone.connect { limit = { rate = 100000 } },
          cxone.connect { limit = { rate = 100000 } }
        local id = one.filters:create(definition "shared").id
        local function writer(tenant, field)
          return function()
            for i = 1, 200 do
              tenant.filters:update(id, { [field] = field .. i }, { attempts = 50 })
            end
          end
        end
        task.all { writer(one, "name"), writer(two, "description") }
        local last = one.filters:get(id)
        print(last.name, last.description, last.version)
        """), env=sim.env, timeout=120)
    assert result.returncode == 0, result.stderr
    name, description, version = result.stdout.split()
    assert (name, description) == ("name200", "description200")
    # Every one of the 400 updates arrived, none twice.
    assert int(version) == 401


def test_a_failed_activation_ends_at_once_with_the_reason(
        run_weir, sim, tmp_path):
    sim.config(activation={"fail": "FAILED", "reason": "no capacity left"})
    result = run_weir("run", script(tmp_path, """
        cxone.connect().filters:deploy(definition "doomed", { interval = 30 })
        """), env=sim.env, timeout=20)
    assert result.returncode == 1
    assert "no capacity left" in result.stderr


def test_a_conflict_ends_with_exit_3_and_both_values(run_weir, sim, tmp_path):
    sim.fault(kind="concurrent_edit", call="update", count=1,
              field="description", value="theirs")
    result = run_weir("run", script(tmp_path, """
        local filters = cxone.connect().filters
        local record = filters:create(definition "contested")
        filters:update(record, { description = "mine" })
        """), env=sim.env)
    assert result.returncode == 3
    assert "/description" in result.stderr
    assert "mine" in result.stderr and "theirs" in result.stderr
    assert "script.lua:" in result.stderr


def test_an_invalid_definition_ends_with_exit_4_at_its_line(
        run_weir, sim, tmp_path):
    path = script(tmp_path, """
        cxone.connect().filters:deploy {
          name = "broken",
          channel = "voise",
          target_group_id = "grp_e2e",
        }
        """)
    result = run_weir("run", path, env=sim.env)
    line = 1 + pathlib.Path(path).read_text().splitlines().index(
        '  channel = "voise",')
    assert result.returncode == 4
    assert f"script.lua:{line}: /channel" in result.stderr
    assert "did you mean 'voice'" in result.stderr
    assert [r for r in sim.log() if r.get("call") == "create"] == []


def test_numbers_survive_the_whole_road(run_weir, sim, tmp_path):
    result = run_weir("run", script(tmp_path, """
        local filters = cxone.connect().filters
        local d = definition "exact"
        d.matchers[2] = { attribute = "a.b", operator = "equals",
                          value = 9007199254740993 }
        d.matchers[3] = { attribute = "a.c", operator = "less_than", value = 0.1 }
        local record = filters:create(d)
        print(math.type(record.matchers[2].value), record.matchers[2].value)
        io.write(filters:export(record))
        """), env=sim.env)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("integer\t9007199254740993\n")
    assert "value: 9007199254740993\n" in result.stdout
    assert "value: 0.1\n" in result.stdout


def test_no_secret_is_ever_written(run_weir, sim, tmp_path):
    env = dict(sim.env, CXONE_CLIENT_SECRET="s3cret/with+odd=chars")
    sim.fault(kind="status", call="validate", status=500, count=100)
    result = run_weir("run", "--log-level", "debug",
                      str(EXAMPLES / "deploy_filter.lua"), env=env,
                      cwd=tmp_path, timeout=60)
    assert result.returncode != 0
    for form in ("s3cret", "s3cret%2Fwith", "Bearer ey"):
        assert form not in result.stdout + result.stderr
    assert "s3cret" not in json.dumps(sim.log())
