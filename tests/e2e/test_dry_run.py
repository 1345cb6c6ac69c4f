"""--dry-run and mutate = false: what would change something is said and not
sent, and a script goes on where there is a plausible answer."""

import json
import pathlib
import re

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
SAFE_POSTS = ("/as/token.oauth2", "/api/v2/event-processing/filters/validate")


def writes(sim):
    """The requests that a simulator has seen and that may have changed it."""
    return [r for r in sim.log() if r["method"] not in ("GET", "HEAD")
            and not (r["method"] == "POST" and r["path"].split("?")[0] in SAFE_POSTS)]


def changes(sim):
    return {k: sim.state()[k] for k in ("creates", "updates", "deletes", "group_puts")
            if k in sim.state()}


def told(result):
    return re.findall(r"^weir: would send (\w+ \S+)", result.stderr, re.M)


@pytest.fixture
def run(run_weir, script, sim):
    """run(text, *options) → a finished run against a simulator of its own, of
    which nothing is known but by its log."""

    def run(text, *options, **more):
        path = text if isinstance(text, pathlib.Path) else script(text)
        return run_weir("run", *options, path, env=sim.env, **more)

    return run


DEPLOY = EXAMPLES / "deploy_filter.lua"


def test_an_example_goes_its_whole_way_and_writes_nothing(run, sim, tmp_path):
    result = run(DEPLOY, "--dry-run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "deployed  dry-run-1 is ACTIVE",
        "member    dry-run-1",
        "updated   duration above 240 s",
        "exported  filter_state_export.yaml",
        "hit rate  0 hits, 0.0 % of events, 0.00 a second",
    ]
    assert told(result) == [
        "POST /api/v2/event-processing/filters",
        "PUT /api/v2/event-processing/filter-groups/grp_downstream_processor_01/filters",
        "PUT /api/v2/event-processing/filters/dry-run-1",
    ]
    assert "(28 bytes; kept back by --dry-run)" in result.stderr
    assert "value: 240" in (tmp_path / "filter_state_export.yaml").read_text()
    assert writes(sim) == []
    assert not any(changes(sim).values()) and changes(sim)
    # It did ask whether the definition is valid, and what is there.
    assert {"POST", "GET"} == {r["method"] for r in sim.log()}
    assert sim.http.get("/api/v2/event-processing/filters").json()["filters"] == []


def test_without_it_the_same_example_writes(run, sim, tmp_path):
    sim.config(activation={"looks": 0})
    result = run(DEPLOY, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(writes(sim)) >= 3 and changes(sim)["creates"] == 1
    assert told(result) == []


@pytest.mark.parametrize("options, declared, why", [
    (["--deny-mutate"], "", "kept back by --deny-mutate"),
    ([], 'weir.needs { net = { "tenant", "127.0.0.1" } }', "the run may not change anything"),
    (["--deny-mutate", "--dry-run"], 'weir.needs { net = { "tenant" }, mutate = true }',
     "kept back by --deny-mutate"),
])
def test_each_way_to_have_nothing_changed(run, sim, options, declared, why):
    result = run(f"""\
        {declared}
        local tenant = require "cxone".connect()
        local record = tenant.filters:create {{ name = "a", channel = "chat",
          matchers = {{ {{ attribute = "a", operator = "equals", value = 1 }} }},
          target_group_id = "g" }}
        print(record.id, record.status)
        """, *options)
    assert (result.returncode, result.stdout) == (0, "dry-run-1\tACTIVE\n"), result.stderr
    assert f"; {why})" in result.stderr
    assert writes(sim) == []


def test_what_is_on_the_server_looks_changed_from_then_on(run, sim):
    ours, other = sim.create(name="ours"), sim.create(name="other")
    before = len(writes(sim))
    result = run(f"""\
        local tenant = require "cxone".connect()
        local filters = tenant.filters
        local new, info = filters:update("{ours['id']}", {{ description = "new" }})
        print(new.description, info.attempts, #info.merged)
        print(filters:get("{ours['id']}").description, filters:status "{ours['id']}" ~= nil)
        local again = filters:update(new, function(f) f.name = f.name .. "!" end)
        print(again.name, again.description)
        local same, told = filters:update(again, {{ name = again.name }})
        print(same.name, told.attempts)
        filters:delete "{other['id']}"
        print(select(2, pcall(filters.get, filters, "{other['id']}")))
        local names = {{}}
        filters:create {{ name = "third", channel = "chat",
          matchers = {{ {{ attribute = "a", operator = "equals", value = 1 }} }},
          target_group_id = "g" }}
        for f in filters:list() do names[#names + 1] = f.name end
        print(table.concat(names, " "))
        tenant.groups:assign("grp_9", {{ new, "x" }})
        tenant.groups:assign("grp_9", "x")
        for id in tenant.groups:members "grp_9" do io.write(id, " ") end
        print()
        """, "--dry-run")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[:4] == ["new\t0\t0", "new\ttrue", "ours!\tnew", "ours!\t0"]
    assert lines[4].startswith("not_found: filter ") and "would have been deleted" in lines[4]
    assert lines[5:] == ["ours! third", f"{ours['id']} x "]
    assert len(writes(sim)) == before
    assert sim.http.get(f"/api/v2/event-processing/filters/{ours['id']}").json()[
        "description"] == "as it was made"


def test_a_script_with_a_client_of_its_own_ends_with_a_clear_error(run, sim):
    result = run("""\
        local tenant = require "cxone".connect()
        local answer = assert(tenant.client:put("/api/v2/event-processing/filters/x",
          { json = {}, if_match = '"1"' }))
        """, "--dry-run")
    assert result.returncode == 5
    assert told(result) == ["PUT /api/v2/event-processing/filters/x"]
    assert "mutate: PUT /api/v2/event-processing/filters/x may change something, and is kept " \
        "back by --dry-run" in result.stderr
    assert "leave --dry-run out to send it" in result.stderr
    assert writes(sim) == []


def test_no_way_round(run, sim):
    """Neither a script's own word that a call is safe, nor raw http, nor a
    header that overrides the method, nor a dialect that calls something else
    its validate call, nor a token endpoint that is none."""
    elsewhere = sim.url.replace("127.0.0.1", "localhost")
    assert elsewhere != sim.url
    result = run(f"""\
        local cxone = require "cxone"
        local tenant = cxone.connect()
        local path = "/api/v2/event-processing/filters"
        local calls = {{
          function() return tenant.client:post(path, {{ json = {{}}, safe = true }}) end,
          function() return tenant.client:request("DELETE", path .. "/x") end,
          function() return tenant.client:request("PATCH", path .. "/x", {{ json = {{}} }}) end,
          function() return tenant.client:get(path,
            {{ headers = {{ ["X-HTTP-Method-Override"] = "DELETE" }} }}) end,
          function() return weir.http.post("{sim.url}" .. path, {{ json = {{}} }}) end,
          function() return weir.http.request {{ method = "DELETE", url = "{sim.url}/x" }} end,
          function() return weir.http.get("{sim.url}/x",
            {{ headers = {{ ["X-Method-Override"] = "PUT" }} }}) end,
          function() return weir.http.get("{sim.url}/x",
            {{ headers = {{ ["X_HTTP_Method-Override"] = "PUT" }} }}) end,
          function() return tenant.client:post(path .. "/validate",
            {{ json = {{}}, query = {{ delete = "all" }} }}) end,
          function() -- the same path, of another server, and behind another one
            return weir.client.new {{ base_url = "{elsewhere}" }}
              :post(path .. "/validate", {{ json = {{}} }}) end,
          function() return weir.client.new {{ base_url = "{sim.url}/delete;" }}
              :post(path .. "/validate", {{ json = {{}} }}) end,
          function()
            local other = cxone.connect {{ dialect = {{ paths = {{ validate = path }} }} }}
            return pcall(other.filters.validate, other.filters, {{ name = "a", channel = "chat",
              matchers = {{ {{ attribute = "a", operator = "equals", value = 1 }} }},
              target_group_id = "g" }})
          end,
          function()
            return weir.auth.client_credentials {{ token_url = "{sim.url}" .. path,
              client_id = "a", client_secret = "hunter22" }}:token()
          end,
        }}
        for i, call in ipairs(calls) do
          local ok, e = call()
          assert(not ok, i)
          print(e.code, e.detail.permission)
        end
        """, "--dry-run")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["denied\tmutate"] * 13
    assert len(told(result)) == 13
    assert writes(sim) == []


def test_each_is_an_object_where_a_program_reads(run, sim):
    result = run("""\
        weir.http.request { method = "DELETE", url = weir.json.decode('["%s/x?token=1"]')[1] }
        """ % sim.url, "--dry-run", "--log-format", "json")
    objects = [json.loads(line) for line in result.stderr.splitlines()]
    assert [o["fields"] for o in objects if "fields" in o] == [
        {"would_send": True, "method": "DELETE", "path": "/x", "bytes": 0, "by": "--dry-run"}]


def test_a_report_has_what_would_have_been_sent(run, sim, tmp_path):
    report = tmp_path / "report.json"
    run(DEPLOY, "--dry-run", "--report", report, cwd=tmp_path)
    text = json.loads(report.read_text())
    kept = [c for c in text["changes"] if c["outcome"] == "would_send"]
    assert [c["method"] for c in kept] == ["POST", "PUT", "PUT"] and len(text["changes"]) == 3
    assert all(c["tries"] == 0 for c in kept)


def test_the_simulators_own_handles_are_not_the_tenant(run_weir, script):
    result = run_weir("run", "--sim", "--dry-run", script("""\
        local sim = weir.sim
        sim.config { activation = { looks = 0 } }
        print(sim.state().creates)
        """))
    assert (result.returncode, result.stdout) == (0, "0\n"), result.stderr
