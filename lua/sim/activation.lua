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

---When time alone ends the activation; nil when it does not.
---@param record table
---@return number?
function activation.due(record)
  local settings = record.activation
  local open = record.status == draft or record.status == pending
  return open and not settings.never and settings.seconds
    and record.started + settings.seconds or nil
end

local function is_over(record)
  local settings = record.activation
  if settings.never or settings.seconds then
    return false
  end
  -- A failure is seen at the first look unless looks say otherwise.
  return record.looks > (settings.looks or 0)
end

---The activation is over, well or not.
---@param record table
function activation.finish(record)
  local failure = record.activation.fail
  if failure then
    record.status = failure == true and dialect.status.failed[1] or failure
    record.reason = record.activation.reason
      or "the simulator was told to let activations fail"
  else
    record.status = active
  end
end

---One look at the status. True when this look ended the activation.
---@param record table
---@return boolean over
---@return boolean changed
function activation.look(record)
  if record.status ~= draft and record.status ~= pending then
    return false, false
  end
  record.looks = record.looks + 1
  record.status = pending
  if not is_over(record) then
    return false, true
  end
  activation.finish(record)
  return true, true
end

return activation
