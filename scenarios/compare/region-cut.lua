-- Three regions, one of them is cut off, with clients inside. Who goes on?
--
-- Brokers stand in three regions. For 30 s the region of B1 is cut off, with a producer in it. Whoever needs a majority
-- stops there and goes on with the other two: the producer inside is told nothing until the cut is healed. Nodes that
-- serve whoever asks go on on both sides, and somebody's messages are thrown away when the sides meet again.
return scenario {
  title = "A region is cut off",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "acks=all, two of three must have it.",
      cluster = kafka { brokers = 3, controllers = 3, min_insync = 2 },
      set = { replicas = 3, acks = "all", auto_offset_reset = "earliest" },
    },
    design "kafka, acks=1" {
      why = "The leader alone acknowledges.",
      cluster = kafka { brokers = 3, controllers = 3, min_insync = 1 },
      set = { replicas = 3, acks = 1, idempotence = false, auto_offset_reset = "earliest" },
    },
    design "rabbitmq:quorum" {
      why = "A quorum queue on three nodes.",
      cluster = rabbitmq { brokers = 3 },
      set = { queue_type = "quorum", resend = true, recovery_interval = seconds(1) },
    },
  },
  topics = { orders = { partitions = 1 } },
  clients = {
    producer "IN" { topic = "orders", records = 400, every = ms(50), start_at = seconds(3) },
    producer "OUT" { topic = "orders", records = 400, every = ms(50), start_at = seconds(3) },
    consumer "K1" { topics = { "orders" }, group = "billing" },
  },
  links = { latency = ms(15), spread = ms(5) },
  faults = { at(seconds(10), partition { { "B1", "IN" }, { "rest" }, duration = seconds(30) }) },
  run_for = seconds(90),
}
