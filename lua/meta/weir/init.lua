---@meta weir

---The root of the modules, there without `require` too. `weir.json` is
---`require "weir.json"`, loaded when it is first asked for; an unknown name
---raises and suggests the nearest one.
---
---```lua
---print(weir.version, weir.json.encode { answer = weir.null })
---```
---@class weir
---@field args weir.args
---@field auth weir.auth
---@field client weir.client
---@field err weir.err
---@field etag weir.etag
---@field filter weir.filter
---@field http weir.http
---@field json weir.json
---@field log weir.log
---@field needs weir.needs
---@field page weir.page
---@field poll weir.poll
---@field regex weir.regex
---@field secret weir.secret
---@field sim weir.sim
---@field task weir.task
---@field yaml weir.yaml
---@field null weir.null    JSON's and YAML's null; the same value everywhere
---@field version string    "0.1.0"
---@field libraries string  "libcurl/7.88.1 OpenSSL/3.0.19 …"
---@field sim_url? string   where the simulator answers; nil without `--sim`
weir = {} -- luacheck: ignore 121

---Stops the running task and lets somebody look around: a session as of
---`weir repl`, in which the script's variables can be read and set. `:continue`
---or Ctrl-D goes on. Other tasks run meanwhile. Without a terminal, and
---in a confined run, it only warns.
---
---```lua
---for _, name in ipairs { "gold", "silver" } do
---  if name == "bronze" then weir.breakpoint() end
---end
---```
function weir.breakpoint() end -- luacheck: ignore 122

---JSON's and YAML's null: one value, equal to nothing else.
---@class weir.null

return weir
