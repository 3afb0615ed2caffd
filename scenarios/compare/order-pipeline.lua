-- Events of one order must be handled in the order in which they were sent: placed, paid, shipped.
--
-- One producer sends events of eight orders. Two readers share the work, and one of them stands still for a while in the
-- middle of it. A partitioned log gives each order to one partition and each partition to one reader, so that the events
-- of one order wait for a reader that is put out of its group. A queue gives each message to whoever is free: two events
-- of one order are worked on side by side, and what the silent reader had in hand comes back behind later ones. A single
-- active consumer gets the order back, and gives up working side by side.
return scenario {
  title = "A pipeline that needs order",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "Keys to partitions, partitions to readers.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { partitions = 4, replicas = 3, acks = "all", auto_offset_reset = "earliest", session_timeout = seconds(6), group_heartbeat = seconds(2) },
    },
    design "rabbitmq:competing" {
      why = "One queue, two consumers, prefetch 10.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 10, ["K1.heartbeat"] = seconds(6), ["K2.heartbeat"] = seconds(6) },
    },
    design "rabbitmq:single-active" {
      why = "One queue, one consumer at a time.",
      cluster = rabbitmq { brokers = 1 },
      set = { queue_type = "classic", prefetch = 10, single_active_consumer = true, ["K1.heartbeat"] = seconds(6), ["K2.heartbeat"] = seconds(6) },
    },
  },
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 400, every = ms(40), keys = 8, start_at = seconds(3) },
    consumer "K1" { topics = { "orders" }, group = "shipping", work = ms(30) },
    consumer "K2" { topics = { "orders" }, group = "shipping", work = ms(30) },
  },
  links = { latency = ms(1), spread = ms(1) },
  faults = { between(seconds(5), seconds(15), pause "K1" { duration = seconds(20) }) },
  run_for = seconds(60),
  expect = { holds "lost-message" },
}
