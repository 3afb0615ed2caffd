-- Everybody gets everything: five services read the same events, and one comes late.
--
-- In a log each group has a position of its own in one copy of the records, and who comes late reads from the beginning.
-- An exchange puts a copy into each queue that is bound at that moment: five queues hold five copies, and a queue that is
-- bound later has missed what went before. A stream is a log again.
return scenario {
  title = "Fan-out, and a reader that comes late",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "Five groups, one log.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { replicas = 3, acks = "all", auto_offset_reset = "earliest" },
    },
    design "rabbitmq:classic" {
      why = "Five queues, bound when their reader comes.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", declared = false },
    },
    design "rabbitmq:stream" {
      why = "A stream, read from its beginning.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "stream" },
    },
  },
  topics = { events = { partitions = 1 } },
  clients = {
    producer "P1" { topic = "events", records = 300, every = ms(30), start_at = seconds(3) },
    consumer "A" { topics = { "events" }, group = "audit" },
    consumer "B" { topics = { "events" }, group = "billing" },
    consumer "C" { topics = { "events" }, group = "crm" },
    consumer "D" { topics = { "events" }, group = "dashboard" },
    consumer "LATE" { topics = { "events" }, group = "warehouse", start_at = seconds(8) },
  },
  links = { latency = ms(1), spread = ms(1) },
  run_for = seconds(30),
}
