-- Sixty-four partitions, three copies each, and one group that reads them all.
return scenario {
  title = "Many partitions",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 64, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 300, every = ms(10), start_at = seconds(4), acks = "all", keys = 64 },
    consumer "R1" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest" },
    consumer "R2" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest" },
  },
  faults = { at(seconds(6), kill "B2" { duration = seconds(3) }) },
  run_for = seconds(12),
}
