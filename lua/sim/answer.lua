--- Answers: made by the calls as tables, spoiled by faults, turned into text
-- last.

local gzip = require "sim.gzip"
local json = require "weir.json"
local wire = require "sim.wire"
local words = require "sim.words"

local answer = {}

---@class sim.Answer
---@field status integer
---@field value any what the body says; nil for none
---@field headers table<string, string|string[]>
---@field body string? in place of `value`
---@field edits (fun(text: string): string)[]? what becomes of the body's text
---@field coding (fun(text: string): string)? gzip, or what says to be it
---@field delay number? seconds
---@field close boolean?
---@field chunked boolean?
---@field header_case "usual"|"lower"|"upper"|nil
---@field wire sim.Wire? how its bytes are spoiled

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

---A change of the body's text, after those that are there.
---@param a sim.Answer
---@param change fun(text: string): string
function answer.edit(a, change)
  a.edits = a.edits or {}
  a.edits[#a.edits + 1] = change
end

---Adds to what becomes of the answer's bytes.
---@param a sim.Answer
---@param fields sim.Wire
function answer.spoil(a, fields)
  a.wire = a.wire or {}
  for name, value in pairs(fields) do
    a.wire[name] = value
  end
end

local function write_body(a, request, config)
  local body = a.body
  if a.value ~= nil then
    body = body or assert(json.encode(a.value))
    a.headers["Content-Type"] = a.headers["Content-Type"] or "application/json"
  end
  for _, change in ipairs(a.edits or {}) do
    body = change(body or "")
  end
  local coding = a.coding
  if not coding and config.gzip and body
    and (request.headers["accept-encoding"] or ""):find("gzip", 1, true) then
    coding = gzip.wrap
  end
  if coding then
    a.headers["Content-Encoding"] = "gzip"
    body = coding(body or "")
  end
  return body
end

-- Name, value, name, value …, sorted by name.
local function list_headers(a, config)
  local headers, case = {}, cases[a.header_case or config.header_case]
  for _, name in ipairs(words.sorted(a.headers)) do
    local values = a.headers[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      headers[#headers + 1] = case(name)
      headers[#headers + 1] = value
      if value == "" then -- the library has no such fields
        answer.spoil(a, { whole = true })
      end
    end
  end
  return headers
end

---Turns an answer into what the server sends.
---@param a sim.Answer
---@param request table
---@param config table the settings
---@return table
function answer.finish(a, request, config)
  local body = write_body(a, request, config)
  local headers = list_headers(a, config)
  if config.early ~= "none" then
    answer.spoil(a, { early = { config.early } })
  end
  local sent = a.wire and wire.render(a, headers, body or "", request.method == "HEAD") or {}
  sent.status = a.status
  sent.headers = headers
  sent.body = body
  sent.delay = a.delay
  sent.close = a.close or config.close
  sent.chunked = a.chunked or (config.chunked and body ~= nil)
  return sent
end

return answer
