--- What to say of a word that is not known.

local text = require "weir.text"

local words = {}

---The keys of a table of words, sorted.
---@param set table<string, any>
---@return string[]
function words.sorted(set)
  local list = {}
  for word in pairs(set) do
    list[#list + 1] = word
  end
  -- A user's table may have numbers among its keys.
  table.sort(list, function(a, b) return tostring(a) < tostring(b) end)
  return list
end

---Names the nearest of the known words where one is near, else all of them.
---@param what string "fault kind"
---@param word any
---@param set table<string, any> the known words as keys
---@return string
function words.unknown(what, word, set)
  local known = words.sorted(set)
  word = tostring(word):sub(1, 40)
  local near = text.nearest(word, known)
  if near then
    return ("unknown %s '%s' (did you mean '%s'?)"):format(what, word, near)
  end
  return ("unknown %s '%s'; there are: %s"):format(what, word, table.concat(known, ", "))
end

return words
