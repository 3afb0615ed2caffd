-- A message that nobody wants any more after ten seconds, and a reader that comes after twenty.
--
-- In a log the time to live is the log's: whole segments go once their newest record is old enough, so a record may be read long
-- after its time, and none goes because it alone is too old. A queue has a time for each message, its own or the queue's, and drops it
-- at the head as soon as it is over, whether anybody has read it or not.
return scenario {
  title = "Too old to be of use",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "Retention of ten seconds.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { partitions = 1, replicas = 3, acks = "all", auto_offset_reset = "earliest", retention = seconds(10) },
      expect = { holds "silent-drop" },
    },
    design "rabbitmq:queue" {
      why = "The queue's x-message-ttl.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", message_ttl = seconds(10) },
      expect = { violates "silent-drop" },
    },
    design "rabbitmq:message" {
      why = "Each message's own expiration.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", ["P1.expiration"] = seconds(10) },
      expect = { violates "silent-drop" },
    },
  },
  topics = { quotes = {} },
  clients = {
    producer "P1" { topic = "quotes", records = 100, every = ms(200), start_at = seconds(5) },
    consumer "K1" { topics = { "quotes" }, start_at = seconds(20) },
  },
  links = { latency = ms(1), spread = ms(1) },
  run_for = seconds(60),
}
