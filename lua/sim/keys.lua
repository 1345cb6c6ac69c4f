--- What the keys of a fault may hold. Each is {expects=, short=, check=}: in
-- words, as the list of kinds shows it, and the check itself.

local words = require "sim.words"

local keys = {}

---@class sim.Key
---@field expects string
---@field short string
---@field is_text boolean? a command line's value is taken as it stands
---@field check fun(value: any): any the value, or nil
---@field words table<string, true>? all values, where they are words

---@param least integer
---@param most integer
---@return sim.Key
function keys.integer(least, most)
  return {
    expects = most < math.maxinteger and ("an integer, %d to %d"):format(least, most)
      or ("an integer, %d or more"):format(least),
    short = "N",
    check = function(value)
      return math.type(value) == "integer" and value >= least and value <= most
        and value or nil
    end,
  }
end

---@param least number
---@param most number
---@param short string?
---@return sim.Key
function keys.number(least, most, short)
  return {
    expects = ("a number, %s to %s"):format(least, most),
    short = short or "S",
    check = function(value)
      return type(value) == "number" and value >= least and value <= most and value
        or nil
    end,
  }
end

---One of some words.
---@param ... string
---@return sim.Key
function keys.word(...)
  local set = {}
  for _, word in ipairs { ... } do
    set[word] = true
  end
  return {
    expects = "one of " .. table.concat(words.sorted(set), ", "),
    short = table.concat({ ... }, "|"),
    is_text = true,
    words = set,
    check = function(value) return set[value] and value or nil end,
  }
end

---Text that a header field can hold (RFC 9110 section 5.5).
---@type sim.Key
keys.line = {
  expects = "text without control characters",
  short = "TEXT",
  is_text = true,
  check = function(value)
    return type(value) == "string" and not value:find("[%c]") and value or nil
  end,
}

---@type sim.Key
keys.text = {
  expects = "text",
  short = "TEXT",
  is_text = true,
  check = function(value) return type(value) == "string" and value or nil end,
}

---@type sim.Key
keys.flag = {
  expects = "true or false",
  short = "true",
  check = function(value)
    if type(value) == "boolean" then
      return value
    end
  end,
}

---@type sim.Key
keys.any = {
  expects = "a value",
  short = "VALUE",
  check = function(value) return value end,
}

---What Retry-After says: a number of seconds, or any text as it is; "none"
-- leaves the field away.
---@type sim.Key
keys.retry_after = {
  expects = "a number of seconds, 'none', or text without control characters",
  short = "S|TEXT|none",
  check = function(value)
    if type(value) == "number" then
      return value > -1e9 and value < 1e12 and value or nil
    end
    return keys.line.check(value)
  end,
}

---The form of a Retry-After that is a date; true is "imf".
---@type sim.Key
keys.date = {
  expects = "true, imf, rfc850 or asctime",
  short = "imf|rfc850|asctime",
  check = function(value)
    local forms = { imf = "imf", rfc850 = "rfc850", asctime = "asctime" }
    if type(value) == "boolean" then
      return value and "imf"
    end
    return forms[value]
  end,
}

return keys
