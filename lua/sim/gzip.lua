--- gzip (RFC 1952) as a server may send it: honest, and as a bomb. Nothing is
-- really compressed but what a bomb consists of: one space, over and over.

local gzip = {}

-- ---- CRC-32, bits reflected as in RFC 1952 ----

local polynomial = 0xEDB88320

local crc_of_byte = {}
for byte = 0, 255 do
  local crc = byte
  for _ = 1, 8 do
    crc = crc & 1 ~= 0 and (crc >> 1) ~ polynomial or crc >> 1
  end
  crc_of_byte[byte] = crc
end

local function crc32(text)
  local crc = 0xFFFFFFFF
  for i = 1, #text do
    crc = crc_of_byte[(crc ~ text:byte(i)) & 0xFF] ~ (crc >> 8)
  end
  return crc ~ 0xFFFFFFFF
end

-- The product of two polynomials modulo the CRC's.
local function multiply(a, b)
  local product, bit = 0, 1 << 31
  while bit > 0 do
    if a & bit ~= 0 then
      product = product ~ b
    end
    bit = bit >> 1
    b = b & 1 ~= 0 and (b >> 1) ~ polynomial or b >> 1
  end
  return product
end

-- The CRC of two texts one after the other, from theirs and the second's
-- length: the first is moved by as many zero bits.
local function crc_joined(first, second, length)
  local shift, power = 1 << 31, 1 << 23 -- x^0 and x^8
  while length > 0 do
    if length & 1 ~= 0 then
      shift = multiply(shift, power)
    end
    power = multiply(power, power)
    length = length >> 1
  end
  return multiply(shift, first) ~ second
end

local function crc_of_spaces(n)
  local crc, run, length = 0, crc32(" "), 1
  while n > 0 do
    if n & 1 ~= 0 then
      crc = crc_joined(crc, run, length)
    end
    run, length, n = crc_joined(run, run, length), length * 2, n >> 1
  end
  return crc
end

-- ---- deflate (RFC 1951) ----

local max_stored = 0xFFFF

-- Stored blocks; `last` says whether they end the stream.
local function stored(text, last)
  local blocks = {}
  for from = 1, math.max(1, #text), max_stored do
    local piece = text:sub(from, from + max_stored - 1)
    local final = last and from + max_stored > #text
    blocks[#blocks + 1] = string.pack("<BI2I2", final and 1 or 0, #piece,
      #piece ~ 0xFFFF) .. piece
  end
  return table.concat(blocks)
end

-- Bits as a text of "0" and "1", each number from its lowest bit.
local function bits(number, width)
  local text = ""
  for i = 0, width - 1 do
    text = text .. (number >> i & 1)
  end
  return text
end

local function pack_bits(text)
  return (text:gsub("........", function(eight)
    return string.char(tonumber(eight:reverse(), 2))
  end))
end

local longest = 258 -- bytes that one pair of length and distance stands for

-- The block's codes: the space "10", end of block "11", length 258 "0",
-- distance one "0". What is repeated is therefore nothing but zero bits.
local function header()
  local lengths = bits(0, 1) .. bits(2, 2)       -- not the last; dynamic codes
    .. bits(286 - 257, 5) .. bits(0, 5) .. bits(14, 4)
  -- Code lengths of 16, 17, 18, 0, 8 … 14, 1 (RFC 1951 section 3.2.7).
  for _, n in ipairs { 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2 } do
    lengths = lengths .. bits(n, 3)
  end
  local one, two = "10", "11"
  local function zeros(n)
    return "0" .. bits(n - 11, 7)
  end
  return lengths .. zeros(32) .. two .. zeros(138) .. zeros(223 - 138) .. two
    .. zeros(28) .. one .. one
end

-- A block of 1 + 258 × `pairs` spaces, as whole bytes, how many zero bytes
-- follow them, and the bits after those. Four pairs or more.
local function spaces(pairs)
  local first = header() .. "10"
  local to_byte = -#first % 8
  local zeros = 2 * pairs - to_byte
  return pack_bits(first .. ("0"):rep(to_byte)), zeros // 8,
    ("0"):rep(zeros % 8) .. "11"
end

local head = "\x1F\x8B\x08\0\0\0\0\0\0\xFF"

local function trailer(crc, size)
  return string.pack("<I4I4", crc, size & 0xFFFFFFFF)
end

---A text in gzip's form, which is a little longer than the text.
---@param text string
---@return string
function gzip.wrap(text)
  return head .. stored(text, true) .. trailer(crc32(text), #text)
end

---`before`, spaces, `after`; in all, at least `size` bytes from a thousandth
-- of that.
---@param before string
---@param after string
---@param size integer
---@return string
function gzip.bomb(before, after, size)
  local pairs = math.max(4, math.ceil((size - #before - #after - 1) / longest))
  local n = 1 + longest * pairs
  local first, zeros, tail = spaces(pairs)
  -- The header of the stored block that ends it, up to a whole byte.
  tail = tail .. "100"
  tail = tail .. ("0"):rep(-#tail % 8)
  local crc = crc_joined(crc32(before), crc_of_spaces(n), n)
  crc = crc_joined(crc, crc32(after), #after)
  return head .. stored(before, false) .. first .. ("\0"):rep(zeros)
    .. pack_bits(tail) .. stored(after, true):sub(2)
    .. trailer(crc, #before + n + #after)
end

return gzip
