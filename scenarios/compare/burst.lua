-- For two seconds ten times as much is sent as the reader can do. Who holds it, and who says stop?
--
-- A log takes it all: the reader lags, and catches up afterwards. So does a queue without limits. A queue with a
-- length limit drops the oldest, though they were confirmed, and one that rejects says no to the producer: what it
-- does not take is not lost, it was never accepted.
return scenario {
  title = "A burst against a slow consumer",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "The log is as long as the disk.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { replicas = 3, acks = "all", auto_offset_reset = "earliest" },
    },
    design "rabbitmq:unbounded" {
      why = "A classic queue without a limit.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 20 },
    },
    design "rabbitmq:drop-head" {
      why = "At most 200 messages: the oldest goes.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 20, max_length = 200, overflow = "drop-head" },
    },
    design "rabbitmq:reject-publish" {
      why = "At most 200 messages: the newest is refused.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 20, max_length = 200, overflow = "reject-publish" },
    },
  },
  topics = { orders = { partitions = 1 } },
  clients = {
    producer "P1" { topic = "orders", records = 1000, every = ms(2), start_at = seconds(3) },
    consumer "K1" { topics = { "orders" }, group = "billing", work = ms(20) },
  },
  links = { latency = ms(1), spread = ms(1) },
  run_for = seconds(60),
}
