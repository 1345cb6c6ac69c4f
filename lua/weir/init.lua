--- weir: the root of the modules. `weir.json` is `require "weir.json"`, loaded
-- when a script first asks for it.

local core = require "weir.core"
local modules = require "weir.modules"
local text = require "weir.text"
local misuse = core.misuse

local known = {}
for _, name in ipairs(modules) do known[name] = "weir." .. name end

local weir = {
  null = core.null,           -- JSON's and YAML's null
  version = core.version,     -- "0.1.0"
  breakpoint = core.breakpoint, -- stops here and lets somebody look around
  sim_url = core.sim_url,     -- where the simulator answers; nil without --sim
}

local function load_module(self, name)
  local module = known[name]
  if module then
    local loaded = require(module)
    rawset(self, name, loaded)
    return loaded
  end
  if name == "sim_url" then return nil end
  if name == "libraries" then -- "libcurl/7.88.1 …"
    self.libraries = core.libraries()
    return self.libraries
  end
  local near = type(name) == "string" and text.nearest(name, modules)
  misuse(string.format("weir has no module '%s'%s", tostring(name),
    near and string.format("; did you mean 'weir.%s'?", near) or ""))
end

return setmetatable(weir, { __index = load_module, __name = "weir" })
