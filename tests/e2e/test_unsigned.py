"""A machine whose policy asks for signatures runs no plain script, whichever
way it comes (test_key.py has sessions, and the policies themselves)."""

import pytest


@pytest.mark.parametrize("policy, code, said", [
    ('{"require_signature": true}', 5, '("require_signature" in '),
    ('{"require_signature": "yes"}', 4, "must be boolean, not string"),
])
def test_no_plain_script_runs(run_weir, script, tmp_path, policy, code, said):
    path = script("io.write('ran\\n')")
    file = tmp_path / ".config/weir/policy.json"
    file.parent.mkdir(parents=True)
    for words, typed in [(["run", "--sim", path], None), (["run", "--sim", "-"], "print(1)"),
                         ([path], None)]:
        file.write_text("{}")
        assert run_weir(*words, input=typed).stdout in ("ran\n", "1\n"), words
        file.write_text(policy)
        result = run_weir(*words, input=typed)
        assert (result.returncode, result.stdout) == (code, ""), result
        assert said in result.stderr and str(file) in result.stderr
    # What runs nothing of anybody's is as ever.
    assert run_weir("check", path).returncode == 0
    assert run_weir("sim", "--faults").returncode == 0


def test_no_scenario_does(run_weir, script, tmp_path):
    scenario = script("return { seed = 'never read' }", "s.lua")
    assert "seed" in run_weir("sim", "--scenario", scenario).stderr
    file = tmp_path / ".config/weir/policy.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"require_signature": true}')
    result = run_weir("sim", "--scenario", scenario)
    assert (result.returncode, result.stdout) == (5, "")
    assert f"{scenario}: it is not signed" in result.stderr
