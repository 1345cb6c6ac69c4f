---@meta weir.poll

---Looking until a state, a failure or a deadline.
---@class weir.poll
local poll = {}

---@class weir.poll.info
---@field looks integer  looks so far
---@field waited number  seconds since the first look
---@field left? number    seconds that this look has; only for a look of one's own

---What to look at: a path, which `client` gets and which answers with an
---object; or a function that returns the word with an optional reason, or a
---table that holds both, or nil and an err. It may wait, but is cancelled when
---the time is up; the last look, which begins then, has the interval or 5 s.
---@alias weir.poll.look string|fun(info: weir.poll.info): string|table|nil, any

---@class weir.poll.options
---@field look weir.poll.look
---@field client? weir.client.Client  needed for a path
---@field done? string[]       words that end the wait well; default `{"ACTIVE"}`
---@field failed? string[]     words that end it at once, as the err `"failed"`;
---                            default, with `done` left out too: `{"FAILED", "REJECTED"}`
---@field field? string        member with the word; default `"status"`
---@field reason? string       member with the reason; default `"reason"`
---@field interval? number     seconds from look to look; default 3
---@field timeout? number      seconds in all; default 60; 0: no time but for one look
---@field what? string         for messages and the progress line: `"filter flt_1"`
---@field on_look? fun(word: string, info: weir.poll.info) after every look; may wait

---Looks at once, then at every multiple of the interval since (a slow look
---moves nothing), and a last time when the time is up. Words in neither list
---are waited on.
---
---Errors: `"failed"` with the server's reason; `"timeout"` with how long it
---waited and the last word; `"protocol"` (no such word in the answer); or what
---a look met.
---
---```lua
---local id = tenant.filters:create {
---  name = "gold_chat", channel = "chat", target_group_id = "grp_chat",
---}.id
---local answer, err = weir.poll.wait {
---  look = function() return tenant.filters:status(id) end,
---  done = { "ACTIVE" }, failed = { "FAILED", "REJECTED" },
---  interval = 0.5, timeout = 30,
---  on_look = function(word, info) print(word, info.looks) end,
---}
---```
---@param opts weir.poll.options
---@return table|string|nil last the last document; the word where a look gave none
---@return weir.poll.info|weir.err.Err info
function poll.wait(opts) end

return poll
