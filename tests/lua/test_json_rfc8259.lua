-- weir.json: the strict table of RFC 8259, as the C test reads it too.

local json = require "weir.json"
local lu = require "luaunit"

local T = {}

local function plain(text)
  if text == "%empty" then return "" end
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function rows()
  local list = {}
  for line in io.lines "tests/json/rfc8259.txt" do
    if line ~= "" and line:sub(1, 1) ~= "#" then
      local name, verdict, text, written, lua = line:match "^(.-)\t(.-)\t(.-)\t(.-)\t(.*)$"
      assert(name, line)
      text = plain(text)
      written = written == "=" and text or plain(written)
      list[#list + 1] = {
        name = name,
        accept = verdict:find "accept" ~= nil,
        text = text,
        written = lua == "=" and written or plain(lua),
        says = written,
      }
    end
  end
  return list
end

function T.test_every_row_of_the_table()
  local count = 0
  for _, row in ipairs(rows()) do
    count = count + 1
    local value, e = json.decode(row.text)
    if row.accept then
      lu.assertTrue(value ~= nil, row.name .. ": " .. tostring(e))
      lu.assertEquals(json.encode(value), row.written, row.name)
      lu.assertEquals(json.encode(json.decode(row.written)), row.written, row.name)
    else
      local limit = row.says:match "^limit: (.*)"
      lu.assertNil(value, row.name)
      lu.assertEquals(e.code, limit and "limit" or "syntax", row.name)
      lu.assertStrContains(e.message, limit or row.says)
    end
  end
  lu.assertTrue(count > 200)
end

local function bits(value) return string.pack("<d", value) end

function T.test_integers_around_every_power_of_two()
  for bit = 0, 63 do
    for near = -3, 3 do
      local value = (1 << bit) + near
      local back = json.decode(json.encode(value))
      lu.assertEquals(math.type(back), "integer")
      lu.assertEquals(back, value)
      lu.assertEquals(json.encode(value), ("%d"):format(value))
    end
  end
end

function T.test_doubles_of_every_kind_bit_by_bit()
  math.randomseed(8259)
  local function check(value)
    local back = json.decode(json.encode(value))
    lu.assertEquals(math.type(back), "float")
    if bits(back) ~= bits(value) then
      lu.fail(("%a became %a"):format(value, back))
    end
  end
  for _, value in ipairs { 0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308,
    2.2250738585072009e-308, 1.7976931348623157e308, 0.1, 2.0 ^ 53, 2.0 ^ 63, -2.0 ^ 63 } do
    check(value)
  end
  for i = 1, 20000 do
    local random = math.random(0)
    if i % 4 == 0 then random = random & 0x800FFFFFFFFFFFFF end
    local value = string.unpack("<d", string.pack("<j", random))
    if value == value and math.abs(value) < math.huge then check(value) end
  end
end

return T
