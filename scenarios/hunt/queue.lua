-- A quorum queue as it should be set up: what may happen to it?
--
-- Three brokers with a replica each, a producer with confirms, two consumers with acknowledgements. Nothing goes wrong here by
-- itself: the faults are drawn by `mqlab hunt`, one machine at a time.
--
--   mqlab hunt scenarios/hunt/queue.lua --budget 10s
--   mqlab hunt scenarios/hunt/queue.lua --property fifo-violation --first
return scenario {
  title = "A quorum queue, hunted",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(200), start_at = seconds(5), recovery_interval = ms(500), heartbeat = seconds(10) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(50), recovery_interval = ms(500), heartbeat = seconds(10) },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(70), recovery_interval = ms(500), heartbeat = seconds(10) },
  },
  run_for = seconds(20),
  expect = { holds "lost-message" },
}
