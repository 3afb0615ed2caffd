-- A replicated log as it should be set up: what may happen to it?
--
-- Three brokers, a topic with three replicas, acks=all and two replicas in sync. A producer with idempotence sends, a group of
-- one reads and commits. Nothing goes wrong here by itself: the faults are drawn by `mqlab hunt`, one machine at a time, which is
-- what the promises of this setup are about.
--
--   mqlab hunt scenarios/hunt/log.lua --budget 10s
--   mqlab hunt scenarios/hunt/log.lua --set acks=1 --property lost-message --first
return scenario {
  title = "A replicated log, hunted",
  cluster = kafka { brokers = 3, controllers = 1 },
  topics = { orders = { partitions = 1, replicas = 3, min_insync = 2 } },
  clients = {
    producer "P1" { topic = "orders", acks = "all", records = 20, every = ms(200), start_at = seconds(5) },
    consumer "K1" { topics = { "orders" }, group = "g", auto_offset_reset = "earliest" },
  },
  run_for = seconds(20),
  expect = { holds "lost-message" },
}
