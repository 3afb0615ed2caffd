-- A clock that strikes once: what can be counted is one.
return scenario {
  title = "One event",
  cluster = lua {},
  nodes = { node "N1" { role = "server", on_start = function(self) self:timer(ms(1), "strike") end } },
  topics = {},
  clients = {},
  run_for = ms(2),
  drain = false,
}
