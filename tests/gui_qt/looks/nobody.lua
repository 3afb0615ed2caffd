-- Brokers among themselves: no client, no message of an application, no group.
return scenario {
  title = "Nobody writes, nobody reads",
  cluster = kafka { brokers = 3, controllers = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {},
  run_for = seconds(3),
}
