-- What the simulator does while deploy_filter.lua runs with --sim: just before
-- the script's update somebody else edits the description, and events have
-- come in by the time the hit rates are asked for.

local events = {}
for i = 1, 80 do
  events[i] = { channel = i % 4 == 0 and "voice" or "chat" }
end

return {
  events = events,
  faults = {
    {
      kind = "concurrent_edit", call = "update", actor = "quality.team",
      field = "description", value = "Platinum voice, reviewed by quality",
    },
  },
}
