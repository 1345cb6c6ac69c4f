"""What does not end by itself is ended: softly, with an error that says which
budget was spent, wherever the script was at that moment."""

import pytest

# What never ends, though it pcalls, hides in coroutines, handlers, finalizers
# or C functions.  Each must be stopped by the flag, not by the hard stop.
RUNAWAYS = {
    "a loop": "while true do end",
    "goto": "::top:: goto top",
    "a tail call": "local function f() return f() end f()",
    "a numeric loop": "for i = 1, math.huge do end",
    "repeat": "repeat until false",
    "a loop of pcalls":
        "while true do pcall(function() while true do end end) end",
    "pcall of pcall":
        "local function f() while true do pcall(f) end end f()",
    "xpcall, whose handler loops":
        "xpcall(function() while true do end end,"
        " function() while true do end end)",
    "xpcall, whose handler fails":
        "while true do xpcall(error, function(e) error(e) end, 'x') end",
    "handlers in handlers":
        "local function f() xpcall(error, f) end while true do f() end",
    "short coroutines":
        "while true do coroutine.wrap(function() end)() end",
    "short coroutines, resumed":
        "while true do coroutine.resume(coroutine.create(function() end)) end",
    "a yield each":
        "local co = coroutine.wrap(function()"
        " while true do coroutine.yield() end end)"
        " while true do co() end",
    "coroutines in coroutines":
        "local function f() coroutine.wrap(f)() end while true do pcall(f) end",
    "a coroutine that pcalls":
        "while true do pcall(coroutine.wrap(function()"
        " while true do pcall(error) end end)) end",
    "resume, which swallows":
        "while true do coroutine.resume(coroutine.create(function()"
        " while true do end end)) end",
    "close":
        "while true do local co = coroutine.create(function()"
        " local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) coroutine.yield() end)"
        " coroutine.resume(co) coroutine.close(co) end",
    "close, after the error of a hook":
        "local co = coroutine.create(function()"
        " local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) while true do end end)"
        " pcall(coroutine.resume, co) while true do"
        " pcall(coroutine.close, co) end",
    "__close":
        "local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) error('x')",
    "__close of a loop":
        "local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) while true do end",
    "__close that pcalls":
        "while true do pcall(function()"
        " local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) while true do end end) end",
    "__index": "local t = setmetatable({}, {__index = function(t, k)"
        " return t[k] end}) while true do pcall(function() return t.x end) end",
    "__index that loops": "return setmetatable({}, {__index = function()"
        " while true do end end}).x",
    "__eq": "local m = {__eq = function() while true do end end}"
        " return setmetatable({}, m) == setmetatable({}, m)",
    "__concat": "return setmetatable({}, {__concat = function()"
        " while true do end end}) .. 'x'",
    "__tostring": "print(setmetatable({}, {__tostring = function()"
        " while true do end end}))",
    "__pairs": "for _ in pairs(setmetatable({}, {__pairs = function()"
        " while true do end end})) do end",
    "an iterator": "for _ in function() return 1 end do end",
    "pcalls in coroutines in pcalls":
        "local function f() while true do pcall(coroutine.wrap(f)) end end"
        " f()",
    "a tail of pcalls":
        "local function f() return pcall(f) end while true do f() end",
    "xpcall of xpcall":
        "local function f() while true do xpcall(f, print) end end f()",
    "shields in shields":
        "local function f() while true do pcall(weir.task.shield, f) end end"
        " f()",
    "deep recursion":
        "local function f() return 1 + f() end while true do pcall(f) end",
    "load of ever more":
        "while true do load('local x = 1')() end",
    "a reader without an end":
        "load(function() return ' ' end)",
    "tasks": "while true do weir.task.spawn(function() end)"
        " weir.task.sleep(0) end",
    "a task that nobody waits for":
        "weir.task.spawn(function() while true do end end)"
        " weir.task.sleep(1000)",
    "task.map, whose failures are kept":
        "while true do pcall(weir.task.map, {1, 2}, {keep_going = true},"
        " function() while true do end end) end",
    "task.shield": "while true do pcall(weir.task.shield, function()"
        " while true do end end) end",
    "a sleeper that wakes":
        "weir.task.spawn(function() while true do weir.task.sleep(0) end end)"
        " while true do weir.task.sleep(0) end",

    # In C, where no hook runs.
    "find": "local s = ('a'):rep(50) s:find(('a*'):rep(30) .. 'b')",
    "match": "local s = ('a'):rep(5000) s:match('.-.-.-.-.-b')",
    "gmatch":
        "for _ in (('a'):rep(5000)):gmatch('.-.-.-.-b') do end",
    "gsub":
        "(('a'):rep(5000)):gsub('.-.-.-.-b', '')",
    "gsub with functions":
        "while true do (('a'):rep(10000)):gsub('.', string.upper) end",
    "a balance":
        "local s = ('('):rep(200000) s:gsub('%b()', '')",
    "a back reference":
        "local s = ('ab'):rep(20000) s:find('(.-)(.-)%1%2%1c')",
    "rep of nothing": "return (''):rep(1 << 60)",
    "rep of nothing, and nothing between":
        "return (''):rep(1 << 60, '') .. (function() while true do end end)()",
    "rep of much":
        "while true do local s = ('x'):rep(5000000) end",
    "concatenations of much":
        "local s = ('x'):rep(4000000) while true do local t = s .. 'y' end",
    "insert before a huge __len":
        "table.insert(setmetatable({}, {__len = function()"
        " return 1 << 60 end}), 1, 0)",
    "remove before a huge __len":
        "table.remove(setmetatable({}, {__len = function()"
        " return 1 << 60 end}), 1)",
    "move of ever so much": "table.move({}, 1, 1 << 60, 2)",
    "move backwards": "table.move({}, 1, 1 << 60, 2, {})",
    "move by metamethods":
        "table.move(setmetatable({}, {__index = tostring}), 1, 1 << 60, 1,"
        " setmetatable({}, {__newindex = rawequal}))",
    "concat of metamethods":
        "table.concat(setmetatable({}, {__index = math.type}), '', 1, 1 << 60)",
    "concat of nothing":
        "table.concat(setmetatable({}, {__index = function()"
        " return '' end}), '', 1, 1 << 60)",
    "sort of a huge __len":
        "table.sort(setmetatable({}, {__len = function() return 1 << 30 end,"
        " __index = tostring, __newindex = rawequal}))",
    "sort that cannot decide":
        "local t = {} for i = 1, 200000 do t[i] = i end"
        " while true do table.sort(t, function() return true end) end",
    "sort, by a function of C":
        "local t = {} for i = 1, 2000000 do t[i] = {} end"
        " while true do table.sort(t, rawequal) end",
    "unpack":
        "while true do select('#', table.unpack({}, 1, 200000)) end",
    "collectgarbage": "local t = {} for i = 1, 300000 do t[i] = {} end"
        " while true do collectgarbage() end",
    "next": "local t = {} for i = 1, 100000 do t[i] = i end"
        " while true do for _ in next, t do end end",
    "next, through what was emptied":
        "local t = {} for i = 1, 1000000 do t['k' .. i] = i end"
        " for k in next, t do t[k] = nil end while true do next(t) end",
    "__close of a task that waits":
        "weir.task.spawn(function()"
        " local x <close> = setmetatable({}, {__close = function()"
        " while true do end end}) weir.task.sleep(1000) end)"
        " weir.task.sleep(0) while true do end",
    "comparisons of much":
        "local a, b = ('x'):rep(8000000), ('x'):rep(8000000)"
        " while true do local c = a == b end",
    "comparisons of much, for order":
        "local a, b = ('x'):rep(5000000) .. 'a', ('x'):rep(5000000) .. 'b'"
        " while true do local c = a < b end",
    "utf8": "local s = ('x'):rep(5000000) while true do utf8.len(s) end",
    "much json": "local s = weir.json.encode(('x'):rep(10000000))"
        " while true do weir.json.decode(s) end",
    "comparisons of much, in a coroutine in a coroutine":
        "local a, b = ('x'):rep(8000000), ('x'):rep(8000000)"
        " coroutine.wrap(function() coroutine.wrap(function()"
        " while true do local c = a == b end end)() end)()",
    "dates": "while true do os.date(('%c'):rep(2000)) end",
    "formats": "while true do string.format('%99.99f', 1e308) end",
    "json": "local t = {} for i = 1, 50000 do t[i] = i end"
        " while true do weir.json.decode(weir.json.encode(t)) end",
    "tasks that make tasks":
        "local function f() weir.task.spawn(f) weir.task.spawn(f) end"
        " f() weir.task.sleep(1000)",
    "a task that makes tasks that do":
        "local function f() while true do weir.task.spawn(f) end end f()",
    "the error of an error":
        "while true do pcall(error, setmetatable({}, {__tostring = function()"
        " while true do end end})) end",
}


# Those that end for another reason: what they say, instead.
OTHERWISE = {
    "concat of metamethods": "invalid value",
    "rep of nothing": None,
    "a balance": None,
}


# The host needs some of what is left until twice the limit to end them all: a
# part that grows no more once memory bounds how many there are.
MOST = {"a task that makes tasks that do": 2}


@pytest.mark.parametrize("text", RUNAWAYS.values(), ids=RUNAWAYS.keys())
def test_processor_time_is_bounded(confined, text, request):
    name = request.node.callspec.id
    most = MOST.get(name, 0.5)
    result = confined(text, "--max-cpu", f"{most}")
    if name in OTHERWISE:
        assert result.returncode in (0, 1, 6), result.stderr
        assert (OTHERWISE[name] or "") in result.stderr
    else:
        assert result.returncode == 6, (result.returncode, result.stderr)
        assert f"used up its {most} s of processor time" in result.stderr
        assert f"--max-cpu {2 * most:g}" in result.stderr
    assert "did not stop" not in result.stderr


def test_what_is_caught_is_raised_again(confined):
    """Nothing of the script runs after the budget is spent."""
    result = confined("""
        local x <close> = setmetatable({}, { __close = function()
          print("closed") end })
        pcall(function() while true do end end)
        print("went on")
    """, "--max-cpu", "0.2")
    assert (result.returncode, result.stdout) == (6, "")


def test_waiting_costs_no_processor_time(confined):
    result = confined("weir.task.sleep(1.5) print('slept')", "--max-cpu", "1")
    assert (result.returncode, result.stdout) == (0, "slept\n"), result.stderr
