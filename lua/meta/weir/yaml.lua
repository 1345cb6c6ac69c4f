---@meta weir.yaml

---YAML text to Lua values and back. Values map as in `weir.json`.
---
---```lua
---local yaml = require "weir.yaml"
---local state = assert(yaml.decode "name: vip\nmatchers:\n  - value: silver\n")
---state.matchers[1].value = "gold"
---io.write(yaml.encode(state))
---```
---@class weir.yaml
---@field null weir.null  the same value as `weir.null`
local yaml = {}

---The same value as `json.null`.
---@type userdata
yaml.null = nil

---@class weir.yaml.decode_options
---@field max_depth? integer levels of nesting allowed; default 64, at most 128
---@field max_nodes? integer values allowed, those of aliases included; default 1,000,000
---@field max_bytes? integer of the text; default: as long as it is
---@field max_expansions? integer values that aliases may bring; default 10,000
---@field big_numbers? "exact"|"error"|"float"|"string" as in `json.decode`

---Reads one YAML document by the core schema of YAML 1.2: `yes`, `on`, `1:30`
---and dates are strings, and so are digits after a leading zero (`0777`), which
---YAML 1.1 reads as octal. Anchors and aliases are expanded.
---
---Refused, with line and column: keys that come twice or are no strings, merge
---keys (`<<`), tags other than those of the core schema, aliases inside their
---own anchor, `.inf` and `.nan`, a second document, a text without any.
---
---```lua
---weir.yaml.decode("retries: 3\nenabled: yes\n")  --> { retries = 3, enabled = "yes" }
---```
---@param text string
---@param options? weir.yaml.decode_options
---@return any value `nil` on failure; `false` and `yaml.null` are values
---@return weir.err.Err? err code `"syntax"` or `"limit"`
function yaml.decode(text, options) end

---@class (exact) weir.yaml.place
---@field path string     JSON pointer; of a key, its member's
---@field key boolean     it is a key, not a value
---@field line integer
---@field column integer  in characters
---@field length integer  bytes of a scalar without quotes, else 0
---@field yaml11? string  what a YAML 1.1 reader takes it for, if that is another thing

---Where every value and key of a document stands, in the order of the text;
---aliases are not expanded. JSON is read, too.
---
---```lua
---print(weir.yaml.places("on: 0777")[2].yaml11)  --> a boolean (true)
---```
---@param text string
---@return weir.yaml.place[]? places
---@return weir.err.Err? err code `"syntax"` or `"limit"`
function yaml.places(text) end

---Writes a value as one YAML document in block style, keys sorted by bytes; the
---same value always gives the same bytes. A string that is not plainly a word
---is put in double quotes, so that readers of YAML 1.1 and 1.2 agree on it.
---
---```lua
---weir.yaml.encode { name = "vip", answer = "no" }  --> answer: "no"\nname: vip\n
---```
---@param value any
---@return string? text
---@return weir.err.Err? err code `"invalid"` with the path, as in `json.encode`
function yaml.encode(value) end

---Writes a JSON text as YAML, in the form of `encode`, without making Lua values
---of it: every number keeps the digits that it had.
---
---```lua
---weir.yaml.from_json('{"n": 1.50, "id": "x"}', { without = { "id" } })  --> n: 1.50
---```
---@param json string
---@param options? {without?: string[]}  members of the outermost object to leave out
---@return string? text
---@return weir.err.Err? err code `"syntax"` or `"limit"`
function yaml.from_json(json, options) end

return yaml
