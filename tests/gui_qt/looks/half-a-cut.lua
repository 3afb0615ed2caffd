-- A cut that stops only the traffic of one class: clients are served, and followers copy nothing.
return scenario {
  title = "A cut of one class of traffic",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(500), start_at = seconds(5), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(8), partition { { "B1" }, { "B2" }, traffic = "replication", duration = seconds(30) }),
    at(seconds(9), one_way { from = "B2", to = "B3", duration = seconds(30) }),
    at(seconds(9), partition { { "B3" }, { "C1" }, traffic = "heartbeat", duration = seconds(30) }),
    at(seconds(10), isolate "P1" { traffic = "client", duration = seconds(4) }),
  },
  run_for = seconds(40),
}
