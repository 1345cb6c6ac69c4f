--- The Date of a server as seconds since 1970 (RFC 9110 section 5.6.7; of its
-- three forms the one that servers must send).

local clock = {}

local months = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9,
  Oct = 10, Nov = 11, Dec = 12 }

--- Days from 1970-01-01, in the Gregorian calendar; os.time knows local time only.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local leap = year // 4 - year // 100 + year // 400
  return 365 * year + leap + (153 * month - 457) // 5 + day - 719469
end

--- The instant, or nil for what is no such date.
function clock.read(text)
  local day, name, year, hour, minute, second =
    text:match("^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  local month = months[name]
  if not month then return nil end
  return days(tonumber(year), month, tonumber(day)) * 86400 + tonumber(hour) * 3600
    + tonumber(minute) * 60 + tonumber(second)
end

return clock
