--- Faults in the body's text: no JSON, strange JSON, gzip that is none.

local answer = require "sim.answer"
local gzip = require "sim.gzip"
local json = require "weir.json"
local keys = require "sim.keys"

local kinds = {}

local function kind(name, about, own_keys, spoil)
  kinds[#kinds + 1] = { name = name, about = about, keys = own_keys, spoil = spoil }
end

-- ---- no JSON ----

-- Before the last brace of an object, or at the end of what is none.
local function insert(text, what)
  local body, last = text:match("^(.*)([}%]])$")
  return body and body .. what .. last or text .. what
end

local function with_member(text, member)
  return insert(text, (text:find("^{%s*}$") and "" or ",") .. member)
end

local not_json = {
  cut = function() return '{"filters": [{"id": ' end,
  empty = function() return "" end,
  html = function() return "<!DOCTYPE html><title>502 Bad Gateway</title>" end,
  text = function() return "OK" end,
  trailing = function(text) return text .. " and more" end,
  twice = function(text) return text .. text end,
  bom = function(text) return "\xEF\xBB\xBF" .. text end,
  nan = function(text) return with_member(text, '"x":NaN') end,
  quotes = function(text) return with_member(text, "'x':'y'") end,
  comma = function(text) return insert(text, ",") end,
  comment = function(text) return insert(text, "/* more */") end,
  utf8 = function(text) return with_member(text, '"x":"\xC3\x28\xFF"') end,
  surrogate = function(text) return with_member(text, '"x":"\\uD800"') end,
  control = function(text) return with_member(text, '"x":"a\nb"') end,
  nul = function(text) return text .. "\0" end,
  number = function(text) return with_member(text, '"x":01') end,
  deep = function() return ("["):rep(100000) .. ("]"):rep(100000) end,
}

local how_not = {}
for how in pairs(not_json) do
  how_not[#how_not + 1] = how
end
table.sort(how_not)

kind("invalid_json", "an answer that is no JSON; or the body given", {
  body = keys.text, how = keys.word(table.unpack(how_not)),
}, function(fault, _, a)
  answer.edit(a, function(text)
    return fault.body or not_json[fault.how or "cut"](text)
  end)
end)

-- ---- JSON that is hard to read ----

local odd_values = {
  overflow = "1e400",
  huge_int = "123456789012345678901234567890",
  past_double = "9007199254740993",
  nul = '"a\\u0000b"',
  null = "null",
  number = "17",
  array = "[]",
  object = "{}",
  text = '"seventeen"',
}

kind("odd_value", "a member of the answer (id) with a value hard to read or of a wrong type", {
  member = keys.text,
  value = keys.word("overflow", "huge_int", "past_double", "nul", "null", "number", "array",
    "object", "text"),
}, function(fault, _, a)
  if type(a.value) ~= "table" then
    return
  end
  local member = fault.member or "id"
  a.value[member] = nil
  answer.edit(a, function(text)
    return with_member(text, json.encode(member) .. ":" .. odd_values[fault.value or "overflow"])
  end)
end)

kind("duplicate_keys", "a member of the answer (id) comes twice, with two values", {
  member = keys.text,
}, function(fault, _, a)
  answer.edit(a, function(text)
    return with_member(text, json.encode(fault.member or "id") .. ':"the second"')
  end)
end)

-- ---- gzip ----

kind("gzip", "the answer in gzip, as it should be", {}, function(_, _, a)
  a.coding = gzip.wrap
end)

local bad_gzip = {
  crc = function(text)
    local packed = gzip.wrap(text)
    return packed:sub(1, -9) .. "\0\0\0\0" .. packed:sub(-4)
  end,
  data = function(text)
    return gzip.wrap(text):sub(1, 10) .. "\xFF\xFF" .. gzip.wrap(text):sub(13)
  end,
  cut = function(text) return gzip.wrap(text):sub(1, -10) end,
  plain = function(text) return text end,
}

kind("bad_gzip", "says gzip; the crc is wrong, the data are, it is cut short, or plain", {
  how = keys.word("data", "crc", "cut", "plain"),
}, function(fault, _, a)
  a.coding = bad_gzip[fault.how or "data"]
end)

kind("gzip_bomb", "a small answer in gzip that is 200 MB of JSON when unpacked", {
  bytes = keys.integer(1, 1 << 33),
}, function(fault, _, a)
  a.coding = function(text)
    local before, last = text:match("^(.*)([}%]])$")
    return gzip.bomb(before or "", last or text, fault.bytes or 200000000)
  end
end)

return kinds
