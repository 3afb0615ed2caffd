-- More work than two workers can do. Does a third help, and a sixth?
--
-- A queue hands each job to whoever is free: twice the workers, half the time, as long as there are jobs. A partitioned log
-- gives a partition to one reader of a group: with four partitions the fifth reader has nothing to do, and with six readers two
-- stand by. Who wants more readers needs more partitions first, and then keys move.
return scenario {
  title = "More workers",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "Four partitions.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { partitions = 4, replicas = 3, acks = "all", auto_offset_reset = "earliest", max_poll_records = 1 },
    },
    design "rabbitmq" {
      why = "One queue.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 1, max_poll = 1 },
    },
  },
  topics = { jobs = {} },
  clients = {
    producer "P1" { topic = "jobs", records = 600, every = ms(10), keys = 100, start_at = seconds(5) },
    consumer "W1" { topics = { "jobs" }, group = "workers", work = ms(100) },
    consumer "W2" { topics = { "jobs" }, group = "workers", work = ms(100) },
    consumer "W3" { topics = { "jobs" }, group = "workers", work = ms(100) },
    consumer "W4" { topics = { "jobs" }, group = "workers", work = ms(100) },
    consumer "W5" { topics = { "jobs" }, group = "workers", work = ms(100) },
    consumer "W6" { topics = { "jobs" }, group = "workers", work = ms(100) },
  },
  links = { latency = ms(1), spread = ms(1) },
  run_for = seconds(60),
  expect = { holds "lost-message" },
  cases = {
    case "two workers" { why = "The others come too late.", set = { ["W3.start_at"] = seconds(59), ["W4.start_at"] = seconds(59), ["W5.start_at"] = seconds(59), ["W6.start_at"] = seconds(59) } },
    case "four workers" { why = "As many as partitions.", set = { ["W5.start_at"] = seconds(59), ["W6.start_at"] = seconds(59) } },
    case "six workers" { why = "More than partitions." },
  },
}
