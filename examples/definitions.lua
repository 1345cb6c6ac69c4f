-- Filter definitions in a module of their own: the other examples require it,
-- as a team's scripts would share theirs.

local definitions = {}

definitions.gold_chat = {
  name = "gold_chat",
  description = "Gold customers who write to us",
  channel = "chat",
  matchers = {
    { attribute = "customer.tier", operator = "in", value = { "gold", "platinum" } },
  },
  pattern_rules = {
    { type = "prefix", field = "queue.name", pattern = "sales_" },
  },
  target_group_id = "grp_chat_quality",
}

definitions.office_mail = {
  name = "office_mail",
  description = "Mail that comes from our own network",
  channel = "email",
  pattern_rules = {
    { type = "cidr", field = "client.address", pattern = "10.20.0.0/16" },
  },
  target_group_id = "grp_mail_intern",
}

--- One filter a region, as a list.
function definitions.regions(names)
  local list = {}
  for i, region in ipairs(names) do
    list[i] = {
      name = "voice_" .. region,
      channel = "voice",
      matchers = {
        { attribute = "customer.region", operator = "equals", value = region },
      },
      target_group_id = "grp_region_" .. region,
    }
  end
  return list
end

return definitions
