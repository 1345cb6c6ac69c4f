--- The simulator's settings: what there is, what is allowed, what it starts
-- with. Each can be given in a scenario and at `/_sim/config`.

local words = require "sim.words"

local config = {}

-- Where servers may differ: the values of each switch, the default first.
local switches = {
  conflict = { 409, 412 },
  -- "weak": strong on GET only; "body", "header": in that place only
  etag = { "quoted", "weak", "unquoted", "body", "header" },
  put = { "replaces", "merges" },
  read_only = { "refused", "ignored" },
  group_put = { "adds", "replaces" },
  metrics_start = { "offset", "instant", "either" },
  cursor_end = { "null", "absent", "empty" },
  empty_pages = { false, true },
  audit_order = { "newest", "oldest" },
  create_status = { 201, 200 },
  errors = { "list", "absent" },
  series = { true, false },
  expires_in = { "number", "string", "absent" },
  header_case = { "usual", "lower", "upper" },
  chunked = { false, true },
  gzip = { false, true },       -- for clients that accept it
  early = { "none", 100, 102, 103 }, -- a 1xx answer before every answer
  close = { false, true },
  id_format = { "plain", "nasty" },
}

-- ---- checks: the value, or nil and what was expected ----

local function is_number(least)
  return function(value)
    local good = type(value) == "number" and value >= least and value < 1e9
    return good and value or nil, ("a number, %s or more"):format(least)
  end
end

local function is_integer(least, most)
  return function(value)
    local good = math.type(value) == "integer" and value >= least and value <= most
    return good and value or nil, ("an integer, %d to %d"):format(least, most)
  end
end

local function is_text(value)
  return type(value) == "string" and utf8.len(value) and value or nil, "text"
end

local function is_true(value)
  return value == true or nil, "true"
end

local function is_one_of(values)
  local texts = {}
  for i, value in ipairs(values) do
    texts[i] = tostring(value)
  end
  local expected = "one of " .. table.concat(texts, ", ")
  return function(value)
    for _, candidate in ipairs(values) do
      if candidate == value then
        return value
      end
    end
    return nil, expected
  end
end

local function is_list_of_texts(value)
  local good = type(value) == "table"
  for i = 1, good and #value or 0 do
    good = good and is_text(value[i])
  end
  return good and value or nil, "a list of texts"
end

local function is_object(value)
  return type(value) == "table" and value[1] == nil and value or nil, "an object"
end

-- Checks each member of `given`; all of them, or nil and the message.
local function check_members(what, given, checks)
  local checked = {}
  for _, name in ipairs(words.sorted(given)) do
    local check = checks[name]
    if not check then
      return nil, words.unknown(what, name, checks)
    end
    local good, expected, message = check(given[name])
    if good == nil then
      return nil, message or ("%s '%s': expected %s"):format(what, name, expected)
    end
    checked[name] = good
  end
  return checked
end

-- ---- activation ----

local activation_checks = {
  looks = is_integer(0, 1000000),
  seconds = is_number(0),
  never = is_true,
  fail = is_one_of { "FAILED", "REJECTED", true },
  reason = is_text,
}

local activation_words = {
  never = function() return { never = true } end,
  fail = function(reason) return { fail = "FAILED", reason = reason } end,
  reject = function(reason) return { fail = "REJECTED", reason = reason } end,
  looks = function(n) return { looks = math.tointeger(tonumber(n)) } end,
  seconds = function(n) return { seconds = tonumber(n) } end,
}

-- How filters become active: {looks=2}, {seconds=1.5}, {never=true},
-- {fail="REJECTED", reason="…", looks=1}, or as a word: "looks=2", "fail",
-- "reject=reason", "never".
local function is_activation(value)
  if type(value) == "string" then
    local word, argument = value:match("^(%a+)=?(.*)$")
    if not activation_words[word] then
      return nil, nil, words.unknown("activation", word or value, activation_words)
    end
    value = activation_words[word](argument ~= "" and argument or nil)
  end
  if not is_object(value) or next(value) == nil then
    return nil, "one of looks=N, seconds=S, fail, reject, never"
  end
  local checked, message = check_members("key of activation", value, activation_checks)
  return checked, nil, message
end

-- ---- all of them ----

local checks = {
  activation = is_activation,
  token_life = is_number(0.001),    -- seconds
  bad_secrets = is_list_of_texts,   -- refused with invalid_client
  page_max = is_integer(1, 1000000), -- largest page size allowed
  extra_fields = is_object,         -- what the server adds to new filters
}
for name, values in pairs(switches) do
  checks[name] = is_one_of(values)
end

---The names of all settings, as keys.
---@return table<string, true>
function config.names()
  local names = {}
  for name in pairs(checks) do
    names[name] = true
  end
  return names
end

---@return table
function config.defaults()
  local settings = {
    activation = { looks = 2 },
    token_life = 3600,
    bad_secrets = { "wrong" },
    page_max = 1000,
    extra_fields = {},
  }
  for name, values in pairs(switches) do
    settings[name] = values[1]
  end
  return settings
end

---Takes settings over into `into`: all of them or, where one is wrong, none.
---@param into table
---@param given any
---@return boolean? ok
---@return string? message
function config.apply(into, given)
  if not is_object(given) then
    return nil, "settings: expected an object"
  end
  local checked, message = check_members("setting", given, checks)
  if not checked then
    return nil, message
  end
  for name, value in pairs(checked) do
    into[name] = value
  end
  return true
end

return config
