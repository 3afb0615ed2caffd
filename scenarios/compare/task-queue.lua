-- One job of two hundred can't be done: whoever tries it fails.
--
-- Four workers share the jobs. A queue gives the failed job back, and to another worker, again and again, and the others
-- go on; with a limit of deliveries it ends in a dead-letter queue. A partitioned log has no way to give back one record:
-- the reader of its partition stands before it, tries again, and all that lies behind it waits.
return scenario {
  title = "A task queue with a poison message",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "The partition waits behind the record.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { partitions = 4, replicas = 3, acks = "all", auto_offset_reset = "earliest" },
    },
    design "rabbitmq:classic" {
      why = "Given back, and tried again by the next.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 1, ack = "release_failed", on_failure = "skip" },
    },
    design "rabbitmq:quorum" {
      why = "After four deliveries it is dead (4.2; in 4.3 what is given back by basic.nack does not count).",
      cluster = rabbitmq { profile = "4.2", brokers = 1 },
      set = { queue_type = "quorum", prefetch = 1, ack = "release_failed", on_failure = "skip", ["jobs.delivery_limit"] = 3, ["jobs.dead_letter"] = "dead" },
    },
  },
  topics = { jobs = {}, dead = {} },
  clients = {
    producer "P1" { topic = "jobs", records = 200, every = ms(20), keys = 50, start_at = seconds(3) },
    consumer "W1" { topics = { "jobs" }, group = "workers", work = ms(40), poison = { "P1-40" } },
    consumer "W2" { topics = { "jobs" }, group = "workers", work = ms(40), poison = { "P1-40" } },
    consumer "W3" { topics = { "jobs" }, group = "workers", work = ms(40), poison = { "P1-40" } },
    consumer "W4" { topics = { "jobs" }, group = "workers", work = ms(40), poison = { "P1-40" } },
  },
  links = { latency = ms(1), spread = ms(1) },
  run_for = seconds(40),
}
