---@meta weir.json

---JSON text to Lua values and back, with nothing lost.
---
---| JSON | Lua |
---|---|---|
---| integer that fits 64 bits | integer, exact |
---| any other number | float, the nearest; written back with a point or exponent |
---| `null` | `json.null` (also inside arrays and objects) |
---| array | table that stays an array, also when empty |
---| object | table; written with its keys sorted by bytes |
---
---A number that Lua cannot hold (an integer beyond 64 bits, `1e400`) becomes a
---`weir.number`, which keeps its text: it prints, compares and is written back
---digit by digit, and `n:float()` is the nearest float. Counting with it raises.
---`big_numbers` says otherwise: `"error"` refuses the text and names the place,
---`"float"` takes the nearest float (refused where that is infinite, or zero),
---`"string"` gives the number's text.
---
---```lua
---local json = require "weir.json"
---local filter = assert(json.decode('{"name":"vip","matchers":[]}'))
---filter.channel = "voice"
---print(json.encode(filter, { indent = 2 }))
---```
---@class weir.json
---@field null weir.null  the same value as `weir.null`
local json = {}

---Stands for JSON's `null`: one value, the same everywhere, so `v == json.null`
---works. Unlike `nil` it has a place in a table.
---@type userdata
json.null = nil

---A number beyond Lua's, as it was written: an integer beyond 64 bits, or a
---number whose nearest float is infinite or zero. Compares exactly with its
---like and, by `<` and `<=`, with Lua's numbers.
---@class weir.number
---@field float fun(self: weir.number): number the nearest float, be it infinite or zero
---@operator concat(any): string

---@class weir.json.decode_options
---@field max_depth? integer levels of nesting allowed; default and most: 128
---@field max_nodes? integer values allowed in one text; default 10,000,000
---@field max_bytes? integer of the text; default: as long as it is
---@field duplicate_keys? boolean `true`: of keys that come twice the last counts; default: error
---@field big_numbers? "exact"|"error"|"float"|"string" see above; default: exact

---Reads one JSON text, strictly as RFC 8259 has it: no comments, no trailing
---commas, no byte order mark, valid UTF-8, no key twice.
---
---```lua
---local value, err = weir.json.decode '{"name": "vip" "channel": "chat"}'
---if not value then print(err) end --> syntax: line 1, column 16: expected ',' or '}', …
---```
---@param text string
---@param options? weir.json.decode_options
---@return any value `nil` on failure; `false` and `json.null` are values
---@return weir.err.Err? err code `"syntax"` with line and column, or `"limit"`
function json.decode(text, options) end

---@class weir.json.encode_options
---@field indent? integer spaces a level, at most 16; default 0: all on one line

---Writes a value as JSON text; the same value always gives the same bytes.
---
---A table with the keys 1 to n is an array, one with strings as keys an object,
---an empty one `{}` an object unless it came from an array or `json.array`.
---Metamethods are not asked. What JSON has no form for is an error that names
---its path: functions, NaN, holes, mixed keys, cycles, strings that are not
---UTF-8, more than 128 levels.
---
---```lua
---weir.json.encode { b = 1, a = weir.json.array() }  --> {"a":[],"b":1}
---weir.json.encode { 1, nil, 3 }  --> nil, invalid: value: an array with a hole: [2] is nil, …
---```
---@param value any
---@param options? weir.json.encode_options
---@return string? text
---@return weir.err.Err? err code `"invalid"` with the path
function json.encode(value, options) end

---Marks a table as an array, so that it is written as one also when empty.
---@param t? table default: a new one
---@return table t the same table
function json.array(t) end

return json
