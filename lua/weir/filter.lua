--- Filters: a definition checked as a whole, then immutable. The check and the
-- definition live in the core; here its problems get the script's lines.

local core = require "weir.core.filter"
local dialect = require "cxone.dialect"
local err = require "weir.err"
local null = require "weir.core".null
local source = require "weir.source"
local misuse = require "weir.core".misuse

local filter = {}

-- Read once: a script that changes the dialect's table changes no check.
local schema = core.schema(dialect.filter)

--- Adds to each problem where the script built what it complains of.
local function with_lines(problems, definition)
  local lines = source.lines_of(definition)
  for _, problem in ipairs(problems) do
    problem.source, problem.line = lines(problem.path)
  end
  return problems
end

local function check_argument(what, definition)
  if type(definition) ~= "table" then
    misuse(("%s: expected a table or a filter, got %s")
      :format(what, type(definition)))
  end
end

local function describe(problem)
  local line = problem.message
  if problem.path ~= "" then line = problem.path .. ": " .. line end
  if problem.hint then line = ("%s (%s)"):format(line, problem.hint) end
  if problem.line then
    line = ("%s:%d: %s"):format(problem.source, problem.line, line)
  end
  return line
end

--- Makes a filter, or raises an err ("validation") whose `errors` list every
-- problem. A filter is returned as it is.
function filter.new(definition)
  if core.is(definition) then return definition end
  check_argument("filter.new", definition)
  local made, problems = core.new(schema, definition)
  if made then return made end
  with_lines(problems, definition)
  local more = #problems > 1 and (" (and %d more)"):format(#problems - 1) or ""
  local e = err.new { code = "validation", message = describe(problems[1]) .. more }
  e.errors = problems
  error(e, 0)
end

--- Returns true, or nil and the list of every problem.
function filter.check(definition)
  if core.is(definition) then return true end
  check_argument("filter.check", definition)
  local made, problems = core.new(schema, definition)
  if made then return true end
  return nil, with_lines(problems, definition)
end

--- Whether `value` is a filter made by `filter.new`.
filter.is = core.is

--- A new filter with these fields replaced; `weir.null` takes a field out.
function core.methods.with(self, changes)
  if type(changes) ~= "table" then
    misuse("filter:with: expected a table of fields, got " .. type(changes))
  end
  local definition = self:table()
  for key, value in pairs(changes) do
    if value == null then value = nil end
    definition[key] = value
  end
  return filter.new(definition)
end

return filter
