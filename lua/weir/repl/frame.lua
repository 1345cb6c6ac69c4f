--- Where a script has stopped: its locals and upvalues there, read and set.

local frame = {}

local Frame = {}
Frame.__index = Frame

--- The innermost frame of the waiting coroutine that is a script's own.
function frame.of(thread)
  local level = 0
  while true do
    local info = debug.getinfo(thread, level, "Slf")
    if not info then return nil end
    if info.currentline > 0 and string.sub(info.source, 1, 2) ~= "=[" then
      return setmetatable({
        thread = thread, level = level, fn = info.func, line = info.currentline,
        source = info.short_src, path = string.match(info.source, "^@(.*)$"),
      }, Frame)
    end
    level = level + 1
  end
end

local function is_name(name) return name and string.sub(name, 1, 1) ~= "(" and name ~= "_ENV" end

--- The index of the innermost local of that name, or nil.
function Frame:local_index(name)
  local found
  local i = 1
  while true do
    local known = debug.getlocal(self.thread, self.level, i)
    if not known then return found end
    if known == name then found = i end
    i = i + 1
  end
end

function Frame:upvalue_index(name)
  local i = 1
  while true do
    local known = debug.getupvalue(self.fn, i)
    if not known then return nil end
    if known == name and name ~= "_ENV" then return i end
    i = i + 1
  end
end

--- Whether there is such a name, and its value.
function Frame:get(name)
  local i = self:local_index(name)
  if i then return true, select(2, debug.getlocal(self.thread, self.level, i)) end
  i = self:upvalue_index(name)
  if i then return true, select(2, debug.getupvalue(self.fn, i)) end
  return false
end

--- Sets the script's own variable; false if there is none of that name.
function Frame:set(name, value)
  local i = self:local_index(name)
  if i then
    debug.setlocal(self.thread, self.level, i, value)
    return true
  end
  i = self:upvalue_index(name)
  if i then debug.setupvalue(self.fn, i, value) end
  return i ~= nil
end

--- The names: locals as they were declared, then upvalues.
function Frame:names()
  local names, seen = {}, {}
  local function add(name)
    if is_name(name) and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  local i = 1
  while true do
    local name = debug.getlocal(self.thread, self.level, i)
    if not name then break end
    add(name)
    i = i + 1
  end
  for u = 1, debug.getinfo(self.fn, "u").nups do add((debug.getupvalue(self.fn, u))) end
  return names
end

function Frame:traceback()
  return (string.gsub(debug.traceback(self.thread), "^stack traceback:\n", ""))
end

return frame
