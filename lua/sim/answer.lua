--- Answers: made by the calls as tables, spoiled by faults, turned into text
-- last.

local json = require "weir.json"

local answer = {}

---@class sim.Answer
---@field status integer
---@field value any what the body says; nil for none
---@field headers table<string, string>
---@field body string? in place of `value`
---@field delay number? seconds
---@field drop "before"|"after_headers"|"mid_body"|nil
---@field close boolean?
---@field chunked boolean?

local array_mark = getmetatable(json.array {})

---Whether a decoded value was an array, an empty one too.
---@param value any
---@return boolean
function answer.is_array(value)
  return type(value) == "table" and getmetatable(value) == array_mark
end

---@param status integer
---@param value any
---@param headers table<string, string>?
---@return sim.Answer
function answer.json(status, value, headers)
  return { status = status, value = value, headers = headers or {} }
end

---An error in the API's form.
---@param status integer
---@param message string
---@param errors table[]? list of {path=, message=}
---@return sim.Answer
function answer.problem(status, message, errors)
  return answer.json(status, {
    message = message,
    errors = errors and json.array(errors),
  })
end

local cases = {
  usual = function(name) return name end,
  lower = string.lower,
  upper = string.upper,
}

---Turns an answer into what the server sends.
---@param a sim.Answer
---@param config table the settings
---@return table
function answer.finish(a, config)
  local body = a.body
  if a.value ~= nil then
    body = body or assert(json.encode(a.value))
    a.headers["Content-Type"] = "application/json"
  end
  local names, case = {}, cases[config.header_case]
  for name in pairs(a.headers) do
    names[#names + 1] = name
  end
  table.sort(names)
  local headers = {}
  for _, name in ipairs(names) do
    headers[#headers + 1] = case(name)
    headers[#headers + 1] = a.headers[name]
  end
  return {
    status = a.status,
    headers = headers,
    body = body,
    delay = a.delay,
    drop = a.drop,
    close = a.close or config.close,
    chunked = a.chunked or (config.chunked and a.value ~= nil),
  }
end

return answer
