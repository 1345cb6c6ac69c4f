--- From created to active: by looks, by seconds, with a failure, or never.

local dialect = require "cxone.dialect"

local activation = {}

local draft, pending = dialect.status.initial, dialect.status.pending
local active = dialect.status.done[1]

---A filter just made; it takes the settings of this moment with it.
---@param record table
---@param settings table `config.activation`
---@param now number
function activation.start(record, settings, now)
  record.status = draft
  record.activation = settings
  record.looks = 0
  record.started = now
end

local function is_over(record, now)
  local settings = record.activation
  if settings.never then
    return false
  elseif settings.seconds then
    return now >= record.started + settings.seconds
  end
  -- A failure is seen at the first look unless looks say otherwise.
  return record.looks > (settings.looks or 0)
end

---One look at the status. True when this look ended the activation.
---@param record table
---@param now number
---@return boolean
function activation.look(record, now)
  if record.status ~= draft and record.status ~= pending then
    return false
  end
  record.looks = record.looks + 1
  record.status = pending
  if not is_over(record, now) then
    return false
  end
  local failure = record.activation.fail
  if failure then
    record.status = failure == true and dialect.status.failed[1] or failure
    record.reason = record.activation.reason
      or "the simulator was told to let activations fail"
  else
    record.status = active
  end
  return true
end

return activation
