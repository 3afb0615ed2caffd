-- About a million events: what is drawn of them stays legible.
return scenario {
  title = "A million events",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 3, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 55000, every = ms(3), start_at = seconds(1), acks = "all" },
    producer "P2" { topic = "orders", records = 55000, every = ms(3), start_at = seconds(1), acks = "all" },
    producer "P3" { topic = "orders", records = 55000, every = ms(3), start_at = seconds(1), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = { at(seconds(20), power "B2" { duration = seconds(5) }) },
  run_for = seconds(170),
  expect = { reaches "leader_elected" },
}
