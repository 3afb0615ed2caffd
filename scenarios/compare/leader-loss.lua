-- The machine that all writes go through dies. What do its users notice?
--
-- One producer, one group of two readers, one place. At 10 s whoever leads the place is killed, and is back 20 s later. In
-- a partitioned log a follower of the in-sync set is elected, as soon as the controller misses the leader's heartbeats. A
-- quorum queue elects one of its replicas. A classic queue lives on one node: nobody can publish to it or read from it
-- until that node is back, and what was not on its disk is gone.
--
-- Whoever is told nothing sends again: so look at what came twice, and at the longest silence.
return scenario {
  title = "The leader is lost",
  chapter = "docs/two-models.md",
  designs = {
    design "kafka" {
      why = "Three replicas, acks=all, two must have it.",
      cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
      set = { replicas = 3, acks = "all", auto_offset_reset = "earliest" },
      expect = { reaches "leader_elected" },
    },
    design "rabbitmq:quorum" {
      why = "A quorum queue on three nodes.",
      cluster = rabbitmq { brokers = 3 },
      set = { queue_type = "quorum", resend = true, recovery_interval = seconds(1) },
    },
    design "rabbitmq:classic" {
      why = "A durable classic queue on one of three nodes.",
      cluster = rabbitmq { brokers = 3 },
      set = { queue_type = "classic", resend = true, recovery_interval = seconds(1) },
    },
  },
  topics = { orders = { partitions = 1 } },
  clients = {
    producer "P1" { topic = "orders", records = 400, every = ms(50), start_at = seconds(3) },
    consumer "K1" { topics = { "orders" }, group = "billing" },
    consumer "K2" { topics = { "orders" }, group = "billing" },
  },
  links = { latency = ms(1), spread = ms(1) },
  faults = { at(seconds(10), kill "leader orders/0" { duration = seconds(20) }) },
  run_for = seconds(60),
  expect = { holds "lost-message" },
}
