"""regex.portable against the Python that runs this test.

A pattern that is called portable must compile in both or in neither, and find
the same spans, groups included, in every subject. The patterns are random
sequences of the constructs where the two engines are known to differ, with
those where they do not.
"""
import json
import os
import random
import re
import subprocess
import warnings

WEIR = os.environ.get("WEIR", "build/weir")

SCRIPT = r"""
local regex, json = require "weir.regex", require "weir.json"
local asked = assert(json.decode(io.read("a")))
local answers = json.array {}
for i, pattern in ipairs(asked.patterns) do
  local re = regex.compile(pattern)
  local answer = { portable = regex.portable(pattern), compiles = re ~= nil,
                   found = json.array {} }
  for j, subject in ipairs(re and asked.subjects or {}) do
    local m, e = re:match(subject)
    assert(not e or e.code == "limit", tostring(e))
    local first, last = re:find(subject)
    if e then
      answer.found[j] = "limit"
    elseif m then
      m[0] = nil
      for name in pairs(m) do
        if type(name) == "string" then m[name] = nil end
      end
      answer.found[j] = json.array { first - 1, last, json.array(m) }
    else
      answer.found[j] = false
    end
  end
  answers[i] = answer
end
print((assert(json.encode(answers))))
"""

ATOMS = (
    r"a b c i 1 \d \w \s \W . [ab] [^a] [a-c1] \b \B ^ $ \A \1 \2 (?: ( (?P<n> (?= "
    r"(?! (?<= (?<! ) ) ) ) | * + ? {2} {1,2} {,2} *? +? ?? ++ (?> (?i) (?i: (?m) "
    r"(?x) (?s) (?m: (?x: (?-i: (?(1) (?(n) (?P=n) (?#c) # \n \x41 \0 \01 [\d-] "
    r"[]a] [^]a] é \é [a-é] \. \/ - ] } { {,} \t [\w.] [\b] \x4 \18 \8 \41 \101 \Z "
    r"\z (?<n> \k<n> \g1 \h \R \e \Q \p{L} \N (?| (?R) (?1) (*ACCEPT) [[:alpha:]] "
    r"[a&&b] [a--] (?^) (?U) \u0041 (?u) \v [\h] \i \_ \a"
).split() + [" ", "\n"]

SUBJECTS = [
    "", "a", "b", "ab", "aab", "abc", "a\n", "\n", "a\nb", "i1", "I", "1 a", "é",
    "aé", "A", "aaaa", "abab", "b\n\n", " ", "#a", "ca1", "11", "_a-b", "c.",
    "\x01", "\x00", "!8", "bc\nab\n",
]

# What a definition is likely to hold, and must stay portable.
EVERYDAY = [
    r"^skill_premium_.*$", r"(?i)^(abc|def)$", r"\d{3}-\d{4}", r"^\+49\d+$",
    r"^(?P<queue>\w+)\.(?P=queue)$", r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    r"(?:gold|silver)_(?!test)\w+", r"(?<=ab|cd)e", r"^$", r"\bvip\b",
]


def random_patterns(seed, count):
    rnd = random.Random(seed)
    for _ in range(count):
        pattern = "".join(rnd.choice(ATOMS) for _ in range(rnd.randint(1, 8)))
        lack = len(re.findall(r"(?<!\\)\(", pattern)) - len(re.findall(r"(?<!\\)\)", pattern))
        yield pattern + ")" * max(0, lack)


def ask(tmp_path, patterns):
    script = tmp_path / "ask.lua"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [WEIR, "run", str(script)],
        input=json.dumps({"patterns": patterns, "subjects": SUBJECTS}),
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_python(pattern):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(pattern)
        except (re.error, OverflowError):
            return None


def found_by(compiled, subject):
    match = compiled.search(subject)
    if not match:
        return False
    start, end = (len(subject[:at].encode()) for at in match.span())
    return [start, end, [False if g is None else g for g in match.groups()]]


def test_everyday_patterns_are_portable(tmp_path):
    for pattern, answer in zip(EVERYDAY, ask(tmp_path, EVERYDAY)):
        assert answer["portable"] and answer["compiles"], pattern
        assert [found_by(in_python(pattern), s) for s in SUBJECTS] == answer["found"], pattern


def test_what_is_called_portable_means_the_same(tmp_path):
    patterns = list(random_patterns(20, 6000))
    compared = 0
    for pattern, answer in zip(patterns, ask(tmp_path, patterns)):
        if not answer["portable"]:
            continue
        compiled = in_python(pattern)
        assert answer["compiles"] == (compiled is not None), repr(pattern)
        if compiled:
            compared += 1
            assert answer["found"] == [found_by(compiled, s) for s in SUBJECTS], repr(pattern)
    assert compared > 500
