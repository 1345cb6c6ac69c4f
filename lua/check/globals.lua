--- Names that nobody declared: read, they stop the script with an error at run
-- time; assigned, they are a forgotten `local`.

local parser = require "check.parser"
local text = require "weir.text"

local globals = {}

-- What scripts find there beside Lua's own names.
local ours = { "weir", "cxone", "arg" }

--- Every name that is there when a script starts.
local function known_names()
  local known = {}
  for name in pairs(_G) do
    if type(name) == "string" then known[name] = true end
  end
  for _, name in ipairs(ours) do known[name] = true end
  return known
end

--- `_G.name = …`, the way to mean it, makes the name known from there on.
local function is_declaration(it)
  return it.tag == "Index" and it.dotted and it.object.tag == "Name"
    and it.object.name == "_G" and not it.object.decl
end

local function nearest(name, known, locals)
  local names = {}
  for each in pairs(known) do names[#names + 1] = each end
  for each in pairs(locals) do
    if not known[each] then names[#names + 1] = each end
  end
  table.sort(names)
  local near = text.nearest(name, names)
  return near and ("did you mean '%s'?"):format(near)
end

--- Adds a finding for every undeclared global of the chunk.
function globals.check(chunk, add)
  local known, locals, targets = known_names(), {}, {}
  parser.walk(chunk, function(it)
    for _, decl in ipairs(it.decls or it.params or {}) do locals[decl.name] = true end
    if it.tag == "Assign" then
      for _, target in ipairs(it.targets) do
        targets[target] = true
        if is_declaration(target) then known[target.key.value] = true end
      end
    end
  end)
  parser.walk(chunk, function(it)
    if it.tag ~= "Name" or it.decl or known[it.name] then return end
    if targets[it] then
      add(it, "undeclared-global", ("assignment to undeclared global '%s'"):format(it.name),
        ("write 'local %s', or '_G.%s' if it must be global"):format(it.name, it.name))
    else
      add(it, "undeclared-global", ("undeclared global '%s'"):format(it.name),
        nearest(it.name, known, locals))
    end
  end)
end

return globals
