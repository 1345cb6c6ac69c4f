-- What the simulator does while rotate_tier.lua runs with --sim: events keep
-- coming in, and a colleague edits the description just before the rotation,
-- which must survive it.

local events = {}
for i = 1, 40 do
  events[i] = { channel = i % 4 == 0 and "chat" or "voice" }
end

return {
  events = events,
  faults = {
    {
      kind = "concurrent_edit", call = "update", actor = "quality.team",
      field = "description", value = "Gold customers on the phone, reviewed",
    },
  },
}
