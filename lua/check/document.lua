--- Definitions in files of their own: YAML or JSON, one or a list of them. What
-- cannot be read, what YAML 1.1 reads otherwise, and every fault of each filter.

local definitions = require "check.definitions"
local filter = require "weir.filter"
local json = require "weir.json"
local yaml = require "weir.yaml"

local document = {}

--- Where values stand by their pointers, and the whole list. Nothing for a JSON
-- text that YAML cannot read (a surrogate pair in an escape).
local function places_of(text)
  local list = yaml.places(text) or {}
  local by_pointer = {}
  for _, at in ipairs(list) do
    if not at.key then by_pointer[at.path] = at end
  end
  return by_pointer, list
end

--- The place of a pointer, or of what is nearest around it.
local function nearest(by_pointer, pointer)
  while not by_pointer[pointer] and pointer ~= "" do
    pointer = pointer:match("^(.*)/[^/]*$") or ""
  end
  return by_pointer[pointer] or { line = 1, column = 1, length = 0 }
end

local function unread(e, add)
  local line, column, message = e.message:match("^line (%d+), column (%d+): (.*)$")
  add(tonumber(line) or 1, tonumber(column) or 1, 1, e.code == "limit" and "limit" or "syntax",
    message or e.message, e.hint)
end

local function note_yaml11(list, add)
  for _, at in ipairs(list) do
    if at.yaml11 then
      add(at.line, at.column, at.length, "yaml11",
        ("a reader of YAML 1.1 takes this %s for %s"):format(at.key and "key" or "value",
          at.yaml11), "put it in quotes, unless that is what is meant", "note")
    end
  end
end

local function check_definition(definition, prefix, by_pointer, add)
  if type(definition) ~= "table" then
    local at = nearest(by_pointer, prefix)
    add(at.line, at.column, at.length, "filter",
      (prefix ~= "" and prefix .. ": " or "") .. "a definition is an object with name, channel and "
      .. "more; this is none")
    return
  end
  local ok, problems = filter.check(definition)
  for _, problem in ipairs(ok and {} or problems) do
    local pointer = prefix .. problem.path
    local at = nearest(by_pointer, pointer)
    add(at.line, at.column, at.length, "filter",
      (pointer ~= "" and pointer .. ": " or "") .. problem.message, problem.hint)
  end
  definitions.slow(definition, function(pointer, message)
    local at = nearest(by_pointer, prefix .. pointer)
    add(at.line, at.column, at.length, "regex", message, nil, "note")
  end)
end

--- Finds what is wrong with the text; `form` is "yaml" or "json". Calls
-- add(line, column, length, code, message, hint, severity).
function document.check(text, form, add)
  local value, e = (form == "json" and json or yaml).decode(text)
  if e then return unread(e, add) end
  local by_pointer, list = places_of(text)
  if form == "yaml" then note_yaml11(list, add) end
  if type(value) == "table" and #value > 0 then
    for i, definition in ipairs(value) do
      check_definition(definition, "/" .. i - 1, by_pointer, add)
    end
  else
    check_definition(value, "", by_pointer, add)
  end
end

return document
