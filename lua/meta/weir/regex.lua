---@meta weir.regex

--- PCRE2 patterns with ceilings on time and memory, over UTF-8 text.
--- A pattern has at most 8,192 bytes, a text at most 65,536. `\d`, `\w`, `\s`
--- and `\b` know all of Unicode. A search ends with the err "limit" after
--- 4,000,000 steps or 250 ms, whichever comes first.
---
--- ```lua
--- local regex = require "weir.regex"
--- local re = assert(regex.compile [[^skill_(?P<tier>\w+?)_]])
--- print(re:match("skill_premium_voice").tier)   --> premium
--- ```
---@class weir.regex
local regex = {}

--- A compiled pattern.
---@class weir.regex.re
local re = {}

--- `[0]` is the whole match, `[1]`… the captures, and named groups are there by
--- name too. `false` where a group took no part, so that `#m` counts groups.
---@class weir.regex.match
---@field [integer|string] string|false

---@class weir.regex.difference
---@field offset integer bytes of the pattern before the construct
---@field message string what differs, and the portable way to write it
---@field warning boolean portable, but can be slow or needs a newer Python

--- Compiles a pattern.
--- Flags: `i` caseless, `m` `^` and `$` at lines, `s` dot matches a newline,
--- `x` spaces and comments are skipped.
--- Fails with the err "syntax" (its message has the place) or "limit" (too
--- large). An unknown flag raises.
---@param pattern string
---@param flags? string letters of "imsx"
---@return weir.regex.re? re
---@return weir.err.Err? err
function regex.compile(pattern, flags) end

--- Whether Python's `re` reads the pattern as PCRE2 does. Beside false (and
--- beside true, where there are only warnings) comes the list of findings.
---
--- ```lua
--- local ok, why = weir.regex.portable [[a\Kb]]
--- print(ok, why[1].message)
--- ```
---@param pattern string
---@return boolean portable
---@return weir.regex.difference[]? findings
function regex.portable(pattern) end

--- Whether the pattern is found anywhere in the text. `nil` and an err: "limit"
--- when a ceiling was hit, "invalid" when the text is not UTF-8.
---@param text string
---@return boolean? found
---@return weir.err.Err? err
function re:test(text) end

--- The first match with its captures; `nil` alone when there is none; `nil` and
--- an err as `re:test`.
---@param text string
---@return weir.regex.match? match
---@return weir.err.Err? err
function re:match(text) end

--- First and last byte of the first match, counted as `string.find` does;
--- `nil` alone when there is none; `nil` and an err as `re:test`.
---@param text string
---@param init? integer where to begin, 1 by default; negative from the end
---@return integer? first
---@return integer|weir.err.Err? last_or_err
function re:find(text, init) end

return regex
