-- A node to which nothing happens, and no drain: a run without an event.
return scenario {
  title = "No event at all",
  cluster = lua {},
  nodes = { node "N1" { role = "server" } },
  topics = {},
  clients = {},
  run_for = ns(1),
  drain = false,
}
