---@meta weir.log

---Lines for people or machines on stderr: text on a terminal, one JSON object a
---line with `--log-format json`. Stdout stays the script's own.
---
---```lua
---local log = require "weir.log"
---log.secret(os.getenv("API_KEY") or "none-was-set")
---log.info("deployed", { id = "flt_1", seconds = 3.2 })
---```
---@class weir.log
local log = {}

---@alias weir.log.level "debug"|"info"|"warn"|"error"|"off"

---Writes a line if the level is enabled. What `weir.json` cannot encode in
---`fields` raises.
---@param message string
---@param fields? table<string, any>
function log.debug(message, fields) end

---Says what a reader wants to know by default.
---@param message string
---@param fields? table<string, any>
function log.info(message, fields) end

---Says what may need a look, though the script goes on.
---@param message string
---@param fields? table<string, any>
function log.warn(message, fields) end

---Says what went wrong.
---@param message string
---@param fields? table<string, any>
function log.error(message, fields) end

---From now on `text` appears in no line, error or trace: neither as it is, nor
---percent-encoded, JSON-escaped or in base64, nor encoded so again. Credentials and tokens that go
---through `weir.auth` are told by themselves.
---@param text string  4 bytes or more; a shorter one raises
function log.secret(text) end

---The level that holds; with `word`, it is set and the one before is returned.
---@param word? weir.log.level
---@return weir.log.level
function log.level(word) end

return log
