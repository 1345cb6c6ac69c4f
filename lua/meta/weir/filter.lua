---@meta weir.filter

--- Definitions of event filters: checked as a whole, then immutable.
---
--- ```lua
--- local filter = require "weir.filter"
--- local f = filter.new {
---   name = "platinum_voice",
---   channel = "voice",
---   matchers = {
---     { attribute = "customer.tier", operator = "equals", value = "platinum" },
---   },
---   target_group_id = "grp_1",
--- }
--- print(f)  --> filter platinum_voice (voice): customer.tier equals "platinum" → grp_1
--- ```
---@class weir.filter
local filter = {}

---@alias weir.filter.channel "voice"|"chat"|"email"|"sms"|"web"
---@alias weir.filter.scalar string|number|boolean|weir.null
---@alias weir.filter.operator
---| "equals"       # same type and value; a string that is a number also equals that number
---| "not_equals"
---| "greater_than" # a number, or a string that is one
---| "less_than"
---| "contains"     # a part of a string, or an element of an array
---| "in"           # any value of a non-empty list

---@class weir.filter.matcher
---@field attribute string names joined by dots: "customer.tier"; a dot in a name is `\.`
---@field operator weir.filter.operator
---@field value weir.filter.scalar|weir.filter.scalar[]

---@class weir.filter.pattern_rule
---@field type "regex"|"cidr"|"prefix"
---@field field string as a matcher's attribute
---@field pattern string a portable regex, a block like 10.0.0.0/8, or a prefix

---@class weir.filter.definition
---@field name string at most 128 bytes
---@field description? string at most 1,024 bytes
---@field channel weir.filter.channel
---@field matchers? weir.filter.matcher[] all of them must hold
---@field pattern_rules? weir.filter.pattern_rule[] and all of these
---@field target_group_id string

---@class weir.filter.problem
---@field path string JSON pointer into the definition: "/matchers/0/operator"
---@field message string what is wrong and what was expected
---@field hint? string "did you mean 'equals'?"
---@field source? string the script that wrote it, where that can be known
---@field line? integer and its line there

--- A filter. Its fields read as fresh copies; writing one raises.
---@class weir.filter.filter: weir.filter.definition
---@operator eq: same definition; an absent list equals an empty one
local f = {}

--- Checks a definition and makes a filter of it. Raises the err "validation",
--- whose `errors` list every problem. A filter is returned as it is.
---@param definition weir.filter.definition|weir.filter.filter
---@param by? weir.filter.schema default: the dialect's
---@return weir.filter.filter
function filter.new(definition, by) end

--- Checks a definition: true, or nil and every problem of it (the first 999).
---@param definition weir.filter.definition|weir.filter.filter
---@param by? weir.filter.schema default: the dialect's
---@return true? ok
---@return weir.filter.problem[]? problems
function filter.check(definition, by) end

--- What definitions are checked by: channels, limits, the server's own fields.
---@class weir.filter.schema

--- The schema of a dialect that differs: its `filter` table.
---@param of table
---@return weir.filter.schema
function filter.schema(of) end

--- Whether `value` is a filter made by `filter.new`.
---@param value any
---@return boolean
function filter.is(value) end

--- The definition as a table of its own.
---@return weir.filter.definition
function f:table() end

--- The definition as JSON, keys sorted.
---@param indent? integer spaces a level, 0 to 16; 0 (default): one line
---@return string
function f:json(indent) end

--- A new filter with these fields replaced; `weir.null` takes one out. Raises
--- as `filter.new`.
---
--- ```lua
--- local voice = weir.filter.new {
---   name = "gold", channel = "voice", target_group_id = "grp_1",
--- }
--- local chat = voice:with { channel = "chat" }
--- ```
---@param changes table
---@return weir.filter.filter
function f:with(changes) end

return filter
