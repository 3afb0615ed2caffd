-- A quorum queue whose brokers lose each other: who finds back?
--
-- Publishers and consumers are on brokers that do not lead. Cuts come and go, connections are reset. The hunt draws it.
--
--   mqlab score scenarios/hunt/cut-quorum.lua --hunt 10000
return scenario {
  title = "A cut quorum queue, hunted",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = seconds(2), start_at = seconds(10), connects_to = "B3", confirm_timeout = seconds(10), recovery_interval = ms(500) },
    producer "P2" { topic = "orders", records = 40, every = seconds(2), start_at = seconds(10), connects_to = "B2", confirm_timeout = seconds(10), recovery_interval = ms(500) },
    consumer "C" { topics = { "orders" }, group = "g", connects_to = "B1", recovery_interval = ms(500) },
  },
  run_for = seconds(120),
  hunt = { faults = "anything", faults_max = 6 },
}
