--- Faults of the connection and of HTTP itself.

local answer = require "sim.answer"
local keys = require "sim.keys"

local kinds = {}

local function kind(name, about, own_keys, fields)
  if type(fields) == "function" then
    fields = { spoil = fields }
  end
  fields.name, fields.about, fields.keys = name, about, own_keys
  kinds[#kinds + 1] = fields
end

local place = keys.word("before", "after_headers", "mid_body")
local seconds = keys.number(0, 3600)

-- ---- late ----

kind("slow", "the answer comes late (1 s)", { seconds = seconds }, function(fault, _, a)
  a.delay = (a.delay or 0) + (fault.seconds or 1)
end)

kind("stall", "done, and then silence until the client gives up (3600 s)", {
  at = place, seconds = seconds,
}, function(fault, _, a)
  answer.spoil(a, { cut = fault.at or "before", hold = fault.seconds or 3600 })
end)

kind("drip", "the answer comes byte by byte (every 0.01 s)", {
  bytes = keys.integer(1, 1 << 20), seconds = seconds,
}, function(fault, _, a)
  answer.spoil(a, { whole = true, piece = fault.bytes or 1, interval = fault.seconds or 0.01 })
end)

-- ---- broken off ----

local function nothing(reset)
  return { status = 500, headers = {}, wire = { cut = "before", reset = reset } }
end

kind("drop", "connection closed, nothing done", {}, {
  before = function() return nothing() end,
})

kind("unread", "connection closed before a large body is read", {}, {
  head = true,
  before = function() return nothing() end,
})

kind("reset", "connection reset (RST), nothing done, or done=true", {
  done = keys.flag, at = place,
}, {
  before = function(fault)
    return not fault.done and not fault.at and nothing(true) or nil
  end,
  spoil = function(fault, _, a)
    if fault.done or fault.at then
      answer.spoil(a, { cut = fault.at or "before", reset = true })
    end
  end,
})

kind("lost", "done, but the answer is lost", { at = place }, function(fault, _, a)
  answer.spoil(a, { cut = fault.at or "before" })
end)

kind("truncate", "the body is cut in half; Content-Length is too large", {}, function(_, _, a)
  answer.spoil(a, { cut = "mid_body" })
end)

kind("idle_close", "answered as usual; then the connection is closed, unannounced", {
  seconds = seconds,
}, function(fault, _, a)
  answer.spoil(a, { whole = true, keep = true, hold = fault.seconds or 0 })
end)

-- ---- lengths ----

kind("overlong", "more body than Content-Length says: half of it, junk, a forged answer", {
  how = keys.word("half", "junk", "forged"),
}, function(fault, _, a)
  local how = fault.how or "half"
  answer.spoil(a, { keep = true, hold = how ~= "half" and 0.5 or nil })
  if how == "half" then
    a.wire.length = function(n) return n // 2 end
  else
    a.wire.extra = how == "junk" and ("junk"):rep(64)
      or "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
        .. '{"forged": "yes"}'
  end
end)

kind("two_lengths", "two Content-Lengths that differ", {}, function(_, _, a)
  answer.spoil(a, { second_length = function(n) return n + 10 end })
end)

kind("bad_length", "a Content-Length that is no number (-1)", { value = keys.line },
  function(fault, _, a)
    local length = fault.value or "-1"
    answer.spoil(a, { length = function() return length end })
  end)

kind("close_delimited", "no length: the body ends with the connection; cut=true in its middle", {
  cut = keys.flag,
}, function(fault, _, a)
  answer.spoil(a, { framing = "close", version = "1.0", cut = fault.cut and "mid_body" or nil })
end)

-- ---- chunks ----

kind("chunked", "chunks of a few bytes (1), as they should be", {
  bytes = keys.integer(1, 1 << 20),
}, function(fault, _, a)
  answer.spoil(a, { framing = "chunked", chunk = fault.bytes or 1 })
end)

kind("bad_chunk", "chunks with a bad size, a bad end, or without the last one (end)", {
  how = keys.word("size", "negative", "huge", "data", "end"),
}, function(fault, _, a)
  answer.spoil(a, { framing = "chunked", chunk_fault = fault.how or "size" })
end)

-- ---- headers ----

kind("early", "1xx answers before the answer (103, once)", {
  status = keys.integer(100, 199), times = keys.integer(1, 100000),
}, function(fault, _, a)
  local list = {}
  for i = 1, fault.times or 1 do
    list[i] = fault.status or 103
  end
  answer.spoil(a, { early = list })
end)

kind("not_http", "bytes that are no HTTP", { body = keys.text }, function(fault, _, a)
  answer.spoil(a, { text = fault.body or "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" })
end)

local function add_lines(a, lines)
  answer.spoil(a, { lines = ((a.wire or {}).lines or "") .. lines })
end

kind("header_flood", "a great many header lines (10000)", {
  lines = keys.integer(1, 1000000),
}, function(fault, _, a)
  local lines = {}
  for i = 1, fault.lines or 10000 do
    lines[i] = ("X-Flood-%d: %d\r\n"):format(i, i)
  end
  add_lines(a, table.concat(lines))
end)

kind("huge_header", "one header line of a great size (1000000 bytes)", {
  bytes = keys.integer(1, 32 << 20),
}, function(fault, _, a)
  add_lines(a, "X-Huge: " .. ("x"):rep(fault.bytes or 1000000) .. "\r\n")
end)

local bad_lines = {
  no_colon = "This is no header field\r\n",
  no_name = ": nobody\r\n",
  space = "X-Space : before the colon\r\n",
  folded = "X-Folded: one\r\n two\r\n",
  nul = "X-Nul: a\0b\r\n",
  control = "X-Control: a\1\27[31mb\r\n",
  latin1 = "X-Latin: \xE9t\xE9\r\n",
}

kind("bad_header", "a header line that is none", {
  how = keys.word("no_colon", "no_name", "space", "folded", "nul", "control", "latin1"),
}, function(fault, _, a)
  add_lines(a, bad_lines[fault.how or "no_colon"])
end)

return kinds
