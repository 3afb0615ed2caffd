-- A hundred letters wait, and an urgent one comes.
--
-- A log has one order, that of writing: an urgent record waits behind all that is there, unless it has a topic of its own. A queue
-- with priorities lets it pass what still lies in the queue, though not what the reader has been handed already: so with a
-- large prefetch it waits as well.
return scenario {
  title = "An urgent message behind many others",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "The order of writing.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { replicas = 3, acks = "all", auto_offset_reset = "earliest", max_poll_records = 1 },
    },
    design "rabbitmq:plain" {
      why = "A queue without priorities.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 1, max_poll = 1 },
    },
    design "rabbitmq:priority" {
      why = "Ten levels, one message at a time in hand.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", max_priority = 9, prefetch = 1, max_poll = 1, ["URGENT.priority"] = 9 },
    },
    design "rabbitmq:prefetch" {
      why = "Ten levels, a hundred messages in hand.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", max_priority = 9, prefetch = 100, max_poll = 1, ["URGENT.priority"] = 9 },
    },
  },
  topics = { mail = { partitions = 1 } },
  clients = {
    producer "BULK" { topic = "mail", records = 100, every = ms(2), start_at = seconds(5) },
    producer "URGENT" { topic = "mail", records = 1, start_at = seconds(6) },
    consumer "K1" { topics = { "mail" }, group = "post", work = ms(100) },
  },
  links = { latency = ms(1), spread = ms(1) },
  run_for = seconds(60),
  expect = { holds "lost-message" },
}
