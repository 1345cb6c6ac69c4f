--- Filters: a definition checked as a whole, then immutable. The check and the
-- definition live in the core; here its problems get the script's lines.

local core = require "weir.core.filter"
local dialect = require "cxone.dialect"
local err = require "weir.err"
local null = require "weir.core".null
local source = require "weir.lazy" "weir.source"
local misuse = require "weir.core".misuse

local filter = {}

-- Read once: a script that changes the dialect's table changes no check.
local schema = core.schema(dialect.filter)

-- By what each filter was checked, where that is not the dialect's own.
local schema_of = setmetatable({}, { __mode = "k" })

--- What a definition is checked by: the `filter` table of a dialect that
-- differs (see cxone/dialect.lua). Raises where that cannot be used.
function filter.schema(of)
  if of == dialect.filter then return schema end
  return core.schema(of)
end

--- Adds to each problem where the script built what it complains of.
local function with_lines(problems, definition)
  local lines = source.lines_of(definition)
  for _, problem in ipairs(problems) do
    problem.source, problem.line = lines(problem.path)
  end
  return problems
end

local function check_argument(what, definition)
  if type(definition) ~= "table" and not core.is(definition) then
    misuse(string.format("%s: expected a table or a filter, got %s", what, type(definition)))
  end
end

local function describe(problem)
  local line = problem.message
  if problem.path ~= "" then line = problem.path .. ": " .. line end
  if problem.hint then line = string.format("%s (%s)", line, problem.hint) end
  if problem.line then
    line = string.format("%s:%d: %s", problem.source, problem.line, line)
  end
  return line
end

--- As core.new, and remembers by which schema.
local function make(definition, by)
  by = by or schema
  local made, problems = core.new(by, definition)
  if made and by ~= schema then schema_of[made] = by end
  return made, problems
end

--- Whether this is a filter that was checked by that schema already. One that
-- a script made is checked again where its tenant's dialect differs.
local function is_made(definition, by)
  return core.is(definition) and (not by or (schema_of[definition] or schema) == by)
end

--- The definition as a table, for one that is a filter of another schema.
local function as_table(definition)
  return core.is(definition) and definition:table() or definition
end

--- Makes a filter, or raises an err ("validation") whose `errors` list every
-- problem. A filter is returned as it is. `by` is a schema (`filter.schema`);
-- default: the dialect's.
function filter.new(definition, by)
  if is_made(definition, by) then return definition end
  check_argument("filter.new", definition)
  definition = as_table(definition)
  local made, problems = make(definition, by)
  if made then return made end
  with_lines(problems, definition)
  local more = #problems > 1 and string.format(" (and %d more)", #problems - 1) or ""
  local e = err.new { code = "validation", message = describe(problems[1]) .. more }
  e.errors = problems
  error(e, 0)
end

--- Returns true, or nil and the list of every problem.
function filter.check(definition, by)
  if is_made(definition, by) then return true end
  check_argument("filter.check", definition)
  definition = as_table(definition)
  local made, problems = make(definition, by)
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
  return filter.new(definition, schema_of[self])
end

return filter
