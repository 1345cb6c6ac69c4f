-- What the simulator does while deploy_filter.lua runs with --sim: just before
-- the script's update somebody else edits the description, and some events
-- have come in by the time the hit rates are asked for.

return {
  faults = {
    {
      kind = "concurrent_edit", call = "update", count = 1,
      field = "description", value = "Platinum voice, reviewed by quality",
    },
  },
}
