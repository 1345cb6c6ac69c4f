--- Seeded streams of random bits, one per use, so that the ids of filters do
-- not depend on how many tokens were asked for in between.

local random = {}

---A number for a text: FNV-1a, 64 bits.
---@param text string
---@param seed integer
---@return integer
function random.hash(text, seed)
  local hash = 0xcbf29ce484222325 ~ seed
  for i = 1, #text do
    hash = (hash ~ text:byte(i)) * 0x100000001b3
  end
  return hash
end

---@class sim.Stream
---@field hex fun(digits: integer): string
---@field chance fun(probability: number): boolean
---@field state fun(set: integer?): integer where it is; `set` puts it there

---A stream that is the same for the same seed and name (splitmix64).
---@param seed integer
---@param name string
---@return sim.Stream
function random.stream(seed, name)
  local state = random.hash(name, seed)

  local function bits()
    state = state + 0x9E3779B97F4A7C15
    local z = state
    z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ~ (z >> 27)) * 0x94D049BB133111EB
    return z ~ (z >> 31)
  end

  local stream = {}

  function stream.hex(digits)
    local text = ""
    while #text < digits do
      text = text .. string.format("%016x", bits())
    end
    return text:sub(1, digits)
  end

  function stream.chance(probability)
    return (bits() >> 11) * 2.0 ^ -53 < probability
  end

  function stream.state(set)
    state = set or state
    return state
  end

  return stream
end

return random
